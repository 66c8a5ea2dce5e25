"""The evidence in Chinese: what was done, to what, and what differed. A new verb gets its words here."""

VERBS = {  # what audit.record is given → what the auditor reads
    "sign_in": "登录", "sign_out": "退出登录", "sign_out_everywhere": "退出所有设备",
    "sign_out_there": "退出另一台设备",
    "switch_role": "切换身份", "confirm_by_code": "短信确认", "activate": "用户激活", "register": "注册账号",
    "ask_in_person": "请支部当面核对新手机号",
    "reset_password": "重设密码", "change_password": "修改密码",
    "ask_for_authorisation": "申请新授权码", "issue_code": "发放授权码", "grant_role": "授予身份",
    "end_role": "终止身份",
    "act_for": "设立代理", "end_acting_for": "结束代理", "hand_over": "移交工作",
    "close_account": "停用账号", "reopen_account": "恢复账号", "nominate": "上报管理员",
    "open_nomination": "按上报开通",
    "return_nomination": "退回上报", "withdraw_nomination": "撤回上报",
    "begin_import": "批量开通管理员", "pause_import": "暂停批量开通", "resume_import": "继续批量开通",
    "open_id_number": "查看身份证号", "open_phone": "查看手机号", "search_number": "按号码查找",
    "change_phone": "更改手机号", "confirm_phone": "当面核对手机号", "enter_person": "录入人员",
    "plan_meeting": "安排会议", "enter_meeting": "补记会议", "move_meeting": "更改时间地点",
    "cancel_meeting": "取消会议",
    "correct_meeting": "更正会议信息", "reply": "答复是否参加", "check_in": "签到", "mark_attendance": "记参加情况",
    "mark_rest": "完成签到", "add_person": "加入名单", "write_log": "写会议记录", "add_photo": "添加照片",
    "remove_photo": "去掉照片", "check_log": "审核会议记录", "explain": "提交更改说明", "amend_log": "更改锁定的日志",
    "return_explanation": "退回更改说明", "say": "发消息", "take_down": "撤下消息", "resend": "重发短信",
    "verify_audit": "核验证据链", "erase_values": "依法删除个人信息", "load_demonstration": "载入演示数据",
    "check_files": "夜间核对文件", "import_units": "导入单位目录树", "rotate_keys": "更换密钥", "restore": "恢复备份",
    "switch_sms": "开关短信",
}
KINDS = {  # what it was done to
    "account": "账号", "person": "人员", "organisation": "党组织", "meeting": "会议", "entry": "消息",
    "session": "登录设备",
    "nomination": "上报", "sms": "短信", "verification": "核验", "file": "文件", "file_check": "文件核对",
    "demonstration": "演示数据", "key": "密钥", "officer_import": "批量开通", "switch": "开关",
}
LABELS = {  # the names in before and after
    "log_photos_added": "添加的照片", "log_photos_removed": "去掉的照片",
    "log_attachments_added": "添加的附件", "log_attachments_removed": "去掉的附件",
    "checked": "核对件数", "missing": "缺失的文件", "changed": "变动过的文件", "orphans": "没有登记的文件数",
    "role": "身份", "person": "人员", "people": "人员", "mark": "参加情况", "how": "方式", "reply": "答复",
    "note": "附言",
    "kinds": "类别", "topic": "主题", "begins_at": "开始时间", "ends_at": "结束时间", "place": "地点",
    "chair": "主持人",
    "recorder": "记录人", "guests": "列席人员", "agenda": "议程", "minutes": "会议记录", "decisions": "决议",
    "votes": "表决情况", "attendance": "党员参加情况", "file": "文件", "sha256": "文件摘要", "version": "版本",
    "photos": "照片版本", "passed": "审核通过", "text": "内容", "who": "署名", "phone": "手机号",
    "id_number": "身份证号",
    "name": "姓名", "organisation": "党组织", "organisation_id": "党组织", "state": "状态", "values": "删除项数",
    "event": "记录", "until": "到期", "since": "起始", "session": "设备", "account": "账号", "reason": "原因",
    "confirmed_by": "当面核实人", "proof": "怎样核实的", "by": "按什么查找", "found": "找到的人员",
    "acting_for": "代理", "successor": "接任者", "roles": "身份", "rows": "行数", "number": "号码",
    "kind": "类别", "again": "重发为短信", "device": "设备", "source": "来自", "on": "开启",
}
IN_CONFIDENCE = "已加密保存，此处不显示"
ERASED = "已依法删除"
PLATFORM = "平台"
