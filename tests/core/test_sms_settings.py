"""How SMS leave is said by the environment; what makes no sense is told in one line, without a secret in it."""
import pytest

from server.settings import BadSetting
from server.settings import read as read_settings
from server.sms_settings import read

TENCENT = {
    "EBRANCH_SMS": "tencent", "EBRANCH_SMS_SECRET_ID": "an-id", "EBRANCH_SMS_SECRET_KEY": "a-key",
    "EBRANCH_SMS_APP": "1400006666", "EBRANCH_SMS_SIGN": "灯塔e支部",
    "EBRANCH_SMS_TEMPLATES": "code=1001, authorisation=1002,notice=1003"}


def test_the_demonstration_has_its_outbox_and_an_own_server_waits_until_it_is_told():
    assert read({}, demo=True).way == "outbox"
    assert read({}, demo=False).way == "off"
    assert read({"EBRANCH_SMS": "off"}, demo=True).way == "off"


def test_the_gateway_is_told_by_settings():
    found = read(TENCENT, demo=False)
    assert (found.way, found.secret_id, found.secret_key) == ("tencent", "an-id", "a-key")
    assert found.templates == {"code": "1001", "authorisation": "1002", "notice": "1003"}
    assert found.endpoint == "https://sms.tencentcloudapi.com"
    assert found.price_li == 50
    assert "a-key" not in repr(found)
    assert "an-id" not in repr(found)


def test_secrets_may_stand_in_files(tmp_path):
    (tmp_path / "key").write_text("from-a-file\n")
    found = read(TENCENT | {"EBRANCH_SMS_SECRET_KEY_FILE": str(tmp_path / "key")}, demo=False)
    assert found.secret_key == "from-a-file"


@pytest.mark.parametrize(("typed", "li"), [("0.045", 45), ("0", 0), ("1", 1000), ("0.05", 50)])
def test_a_price_is_yuan(typed, li):
    assert read({"EBRANCH_SMS_PRICE": typed}, demo=True).price_li == li


@pytest.mark.parametrize("wrong", [
    {"EBRANCH_SMS": "pigeon"}, {"EBRANCH_SMS": "outbox", "EBRANCH_DEMO": "0"},
    {"EBRANCH_SMS_PRICE": "x"}, {"EBRANCH_SMS_PRICE": "-1"}, {"EBRANCH_SMS_PRICE": "0.0455"},
    {"EBRANCH_SMS_PRICE": "NaN"}, {"EBRANCH_SMS_PRICE": "1e9"},
    {"EBRANCH_SMS": "tencent"}, TENCENT | {"EBRANCH_SMS_TEMPLATES": "1001"},
    TENCENT | {"EBRANCH_SMS_TEMPLATES": ""}, TENCENT | {"EBRANCH_SMS_SECRET_KEY": ""},
    TENCENT | {"EBRANCH_SMS_SECRET_KEY_FILE": "/no/such/file"}, TENCENT | {"EBRANCH_SMS_SECRET_KEY_FILE": "/tmp"}])
def test_what_makes_no_sense_is_told_in_one_line_without_its_secrets(wrong):
    with pytest.raises(BadSetting) as told:
        read_settings(wrong)
    assert "\n" not in str(told.value)
    assert "EBRANCH_SMS" in str(told.value)
    assert "a-key" not in str(told.value)
