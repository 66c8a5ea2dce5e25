"""What the forms of a catalogue's draft read."""
from server.catalogues.rules import (
    COLUMN_MAX,
    COLUMNS_MOST,
    CONTENT_MAX,
    DEPARTMENT_MAX,
    GUIDANCE_MAX,
    NAME_MAX,
    NOTE_MAX,
    Audience,
    Category,
    Form,
    Frequency,
    Variant,
)
from server.core import forms


def columns(name: str, label: str) -> forms.Field:
    """The heads of a table's columns, between blanks, commas or 、."""
    text = forms.text(name, label, most=COLUMNS_MOST * (COLUMN_MAX + 1), required=False)

    def read(typed: list[str]) -> tuple[str, ...]:
        heads = text.read(typed).replace("、", " ").replace("，", " ").replace(",", " ").split()
        if len(heads) > COLUMNS_MOST or any(len(head) > COLUMN_MAX for head in heads):
            raise ValueError(f"最多 {COLUMNS_MOST} 列，每列的名称最多 {COLUMN_MAX} 个字")
        if len(set(heads)) != len(heads):
            raise ValueError("有两列名称相同")
        return tuple(heads)
    return forms.Field(name, label, read)


VERSION = forms.number("version", "版本")
SHAPE = "shape"  # the control for an item's `form`: one that is called form hides what a browser knows by that name
ITEM = (
    VERSION, forms.choice("category", "类别", Category), forms.text("name", "事项", most=NAME_MAX),
    forms.text("content", "公开内容", most=CONTENT_MAX, required=False), forms.choice(SHAPE, "公开形式", Form),
    columns("columns", "表格的列"), forms.choice("frequency", "公开时间", Frequency),
    forms.choice("audience", "公开范围", Audience),
    forms.text("department", "责任部门", most=DEPARTMENT_MAX, required=False),
    forms.text("guidance", "业务指导", most=GUIDANCE_MAX, required=False), forms.choice("variant", "适用", Variant),
)
PUBLISH = (VERSION, forms.text("note", "更新说明", most=NOTE_MAX, required=False))
