"""Inventing the names of people who could live in these villages."""
from random import Random

SURNAMES = (
    "王张李刘" * 4 + "赵孙陈杨" * 3 + "徐马朱郭宋" * 2
    + "胡高林于吕曹许韩冯董程丁魏薛叶田任姜范石姚孔桑耿庞侯杜柳苏贾邵潘牛宁薄时苗尹纪"
)
MEN = (
    "建国 建军 德山 德海 长河 长顺 永军 永贵 志刚 志强 玉海 玉成 传忠 传友 兴旺 庆丰 庆国 "
    "学文 学军 成林 光明 宝山 宝贵 立新 立柱 金水 金堂 树林 树春 洪涛 洪亮 卫东 卫国 国强 "
    "国庆 明 军 勇 磊 鹏 浩 凯 超 斌 振华 振江 凤山 凤亭 继承 继明 存良 存厚 西山 西平 "
    "东升 东亮 兆祥 兆福 广田 广泰 士杰 士友 文革 文涛 胜利 胜军 保田 保国 福来 福生 连营 "
    "连山 清泉 清明 克勤 敬业"
)
WOMEN = (
    "秀英 秀兰 桂兰 桂荣 玉兰 玉芝 春梅 春燕 凤霞 凤英 爱华 爱玲 丽娟 丽萍 红霞 红梅 艳玲 "
    "艳红 晓燕 静 敏 婷 雪 娜 慧 淑珍 淑芳 月英 月娥 素云 素琴 兰香 兰英 海霞 海燕 翠平 "
    "翠华 巧云 美荣 美玲 新荣 景芝 传芳 庆云 瑞英 瑞霞 文静 文娟"
)
WOMEN_IN_TEN = 3.5  # of the members of a village branch
AT_HOME = 0.35  # how many carry a surname the village is called after


def invent(rng: Random, village: str, taken: set[str]) -> str:
    """A name that is not among `taken` yet, to which it is added; 郭家村 has many of the surname 郭."""
    own = [sign for sign in village if sign in SURNAMES]
    while True:
        surname = rng.choice(own) if own and rng.random() < AT_HOME else rng.choice(SURNAMES)
        name = surname + rng.choice((WOMEN if rng.random() * 10 < WOMEN_IN_TEN else MEN).split())
        if name not in taken:
            taken.add(name)
            return name
