"""SMS by Tencent Cloud, through its SDK; in a thread, because that one waits."""
import asyncio
import logging
from urllib.parse import urlsplit

from requests.exceptions import ConnectionError as NotReached
from requests.exceptions import ConnectTimeout
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111.models import SendSmsRequest, SendStatus
from tencentcloud.sms.v20210111.sms_client import SmsClient
from urllib3.exceptions import MaxRetryError, NewConnectionError

from server.core.sms_gateways import Message, Outcome, Result
from server.sms_settings import SmsSettings

logging.getLogger("tencentcloud_sdk_common").setLevel(logging.WARNING)  # its debug lines hold phones and codes

CONNECT_S, ANSWER_S = 5, 10
MORE_OFTEN_THAN_ALLOWED = frozenset({  # not taken, and may be later
    "LimitExceeded.PhoneNumberThirtySecondLimit", "LimitExceeded.PhoneNumberOneHourLimit",
    "LimitExceeded.DeliveryFrequencyLimit", "LimitExceeded.GlobalSmsSendingRateLimit", "RequestLimitExceeded",
})
REFUSALS = (  # what begins like this was looked at and not taken; everything else says nothing certain
    "FailedOperation", "InvalidParameter", "LimitExceeded", "MissingParameter", "UnauthorizedOperation",
    "UnsupportedOperation", "AuthFailure", "InvalidAction", "NoSuchVersion", "UnknownParameter", "ResourceNotFound",
)
WORDS = {
    "FailedOperation.InsufficientBalanceInSmsPackage": "短信套餐余量不足，请充值",
    "UnauthorizedOperation.ServiceSuspendDueToArrears": "短信服务欠费停用，请充值",
    "FailedOperation.PhoneNumberInBlacklist": "手机号退订了短信，或在运营商的免打扰名单里",
    "InvalidParameterValue.IncorrectPhoneNumber": "运营商说手机号不对",
    "FailedOperation.ContainSensitiveWord": "内容里有网关不许发的词",
    "LimitExceeded.PhoneNumberDailyLimit": "这个手机号今天收到的短信到了网关的上限",
    "FailedOperation.TemplateIncorrectOrUnapproved": "短信模板没有审核通过，或与内容不符",
    "FailedOperation.SignatureIncorrectOrUnapproved": "短信签名没有审核通过",
    "AuthFailure.SecretIdNotFound": "网关不认识所设的密钥",
    "AuthFailure.SignatureFailure": "网关不认识所设的密钥",
}


class Tencent:
    """One account at Tencent Cloud. endpoint and the rest by settings."""

    name = "tencent"

    def __init__(self, settings: SmsSettings) -> None:
        self.settings = settings

    async def send(self, message: Message) -> Result:
        """Hands over one message. Without a template for its kind it is refused: the gateway takes no free text."""
        template = self.settings.templates.get(message.kind)
        if template is None:
            return Result(Outcome.FAILED, fault="网关没有设这类短信的模板")
        return await asyncio.to_thread(self.ask, message, template)

    def ask(self, message: Message, template: str) -> Result:
        """Asks the gateway, and reads what it says."""
        request = SendSmsRequest()
        request.PhoneNumberSet = [f"+86{message.phone}"]
        request.SmsSdkAppId = self.settings.application
        request.SignName = self.settings.sign_name
        request.TemplateId = template
        request.TemplateParamSet = message.values
        request.SessionContext = message.key
        try:
            answer = self.client().SendSms(request).SendStatusSet
        except TencentCloudSDKException as fault:
            return of_fault(fault)
        return of_status(answer[0]) if answer else Result(Outcome.UNKNOWN, fault="网关的答复是空的")

    def client(self) -> SmsClient:
        """A client of its own for each message: they are asked from several threads."""
        address = urlsplit(self.settings.endpoint)
        http = HttpProfile(protocol=address.scheme, endpoint=address.netloc, reqTimeout=(CONNECT_S, ANSWER_S))
        profile = ClientProfile(httpProfile=http)
        return SmsClient(Credential(self.settings.secret_id, self.settings.secret_key), self.settings.region, profile)


def of_status(status: SendStatus) -> Result:
    """What the gateway says of the one phone it was given."""
    if status.Code == "Ok":
        return Result(Outcome.SENT, status.SerialNo, int(status.Fee or 0))
    return refused(status.Code)


def of_fault(fault: TencentCloudSDKException) -> Result:
    """What an error says: never reached is worth another try, refused is refused, anything else is not known."""
    cause = fault.__context__
    if isinstance(cause, ConnectTimeout) or (isinstance(cause, NotReached) and never_connected(cause)):
        return Result(Outcome.LATER, fault="连不上短信网关")
    return refused(fault.get_code())


def never_connected(fault: NotReached) -> bool:
    """Whether the connection was not even opened, so that nothing can have been sent."""
    inner = fault.args[0] if fault.args else None
    return isinstance(inner, MaxRetryError) and isinstance(inner.reason, NewConnectionError)


def refused(code: str) -> Result:
    """Why the gateway did not take a message, by its code; its own sentence may name the phone and stays out."""
    if code in MORE_OFTEN_THAN_ALLOWED:
        return Result(Outcome.LATER, fault=f"网关请稍后再发（{code}）")
    if code.startswith(REFUSALS):
        return Result(Outcome.FAILED, fault=f"{WORDS.get(code, '网关没有接收')}（{code}）")
    return Result(Outcome.UNKNOWN, fault=f"网关的答复说不清是否已发出（{code}）")
