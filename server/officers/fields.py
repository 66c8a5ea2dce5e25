"""The fields of the forms about officers: who, what, where, why."""
from server.core import forms
from server.officers.rules import WHY_MAX
from server.people import fields
from server.permissions import Role

WHO = (fields.name("name", "姓名"), fields.id_number("id_number", "身份证号"), fields.phone("phone", "手机号码"))
ROLE = (forms.choice("role", "身份", Role),)
POST = (forms.text("organisation", "党组织", most=100), *ROLE)
BECAUSE = (fields.reason("why", "原因", most=WHY_MAX),)
WHY = (fields.reason("why", "事由", most=WHY_MAX),)
