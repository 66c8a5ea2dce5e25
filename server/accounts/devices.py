"""What a browser says of itself, in the words its owner knows the device by. No I/O; nothing is decided by it."""
# The first mark that stands in the User-Agent names it: those built on another come before what they are built on.
BROWSERS = (
    ("MicroMessenger", "微信"), ("DingTalk", "钉钉"), ("AlipayClient", "支付宝"), ("MQQBrowser", "QQ浏览器"),
    ("QQBrowser", "QQ浏览器"), ("UCBrowser", "UC浏览器"), ("HuaweiBrowser", "华为浏览器"),
    ("MiuiBrowser", "小米浏览器"),
    ("VivoBrowser", "vivo浏览器"), ("HeyTapBrowser", "OPPO浏览器"), ("SamsungBrowser", "三星浏览器"),
    ("360SE", "360浏览器"),
    ("QihooBrowser", "360浏览器"), ("Edg", "Edge浏览器"), ("Firefox", "火狐浏览器"), ("FxiOS", "火狐浏览器"),
    ("CriOS", "谷歌浏览器"), ("Chrome", "谷歌浏览器"), ("Safari", "Safari浏览器"),
)
MACHINES = (
    ("iPhone", "苹果手机"), ("iPad", "苹果平板"), ("HarmonyOS", "华为手机"), ("OpenHarmony", "华为手机"),
    ("Android", "安卓手机"), ("Mobile", "手机"), ("Windows", "电脑"), ("Macintosh", "苹果电脑"), ("X11", "电脑"),
    ("Linux", "电脑"),
)
UNKNOWN = "另外的程序"


def in_words(user_agent: str) -> str:
    """微信 · 安卓手机; what can't be told is left out."""
    named = [next((word for mark, word in marks if mark in user_agent), None) for marks in (BROWSERS, MACHINES)]
    if "Android" in user_agent and "Mobile" not in user_agent and named[1] == "安卓手机":
        named[1] = "安卓平板"
    return " · ".join(filter(None, named)) or UNKNOWN


def is_handheld(user_agent: str) -> bool:
    """Whether its owner holds it in the hand, for the picture beside it."""
    return any(mark in user_agent for mark in ("iPhone", "Android", "Mobile", "Harmony"))
