"""The .xlsx officers are imported from."""
from server.core.sheets import Layout

COLUMNS = {"name": "姓名", "id_number": "身份证号", "phone": "手机号码", "organisation": "党组织全称", "role": "身份",
           "why": "事由"}
LAYOUT = Layout(COLUMNS, first="name", optional=frozenset({"why"}))
