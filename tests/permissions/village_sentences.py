"""Who gets which answer about 三务公开: villages, catalogues, matters, ledgers, questions, query accounts, supervision.
Read as those in table.py. A village's things are its own people's and those above it; to anybody else they are not."""

READERS = {
    "villager": ("村民", "村务监督委员会"),
    "member": ("预备党员", "正式党员", "组织委员", "e支部管理员"),  # who reads, also what is for members alone
    "keeper": ("村（社区）管理员",),
    "signer": ("村务监督委员会", "书记"),
    "asker": ("村民", "村务监督委员会", "预备党员", "正式党员", "书记", "组织委员", "e支部管理员"),
    "local": ("村民", "村务监督委员会", "预备党员", "正式党员", "书记", "组织委员", "e支部管理员", "村（社区）管理员"),
    "reviewer": ("党委管理员", "组织员"),
    "inspector": ("党委管理员", "县级管理员", "市级管理员", "省级管理员"),  # who stands before the wall (M3§10)
    "clerk": ("村（社区）管理员", "书记", "组织委员", "e支部管理员"),  # who keeps the village's query accounts
}

MATTER = ("draft", "signing", "submitted", "returned", "approved", "published", "correcting", "asked", "withdrawn",
          "members")  # asked: to be taken down; members: published to members alone
LEDGER = MATTER[:-1]
STAGES = (  # what an address must have in it, what it must be about; the stages of such a thing
    ("matter_id", "ledger", LEDGER), ("matter_id", "", MATTER),
    ("duty_id", "", ("owed", "begun", "answered", "declared")),
    ("exemption_id", "", ("asked", "weighed", "filed", "refused")),
    ("question_id", "", ("open", "answered", "hidden")), ("application_id", "", ("waiting", "opened", "refused")),
    ("reader_id", "", ("reading", "ended")), ("check_id", "", ("same", "mending", "mended", "closed")),
    ("/villages/{code:str}/", "", ("unopened", "exempt", "opened")),
)

VILLAGES = """
GET  /villages                                         | overseer 200
GET  /villages/{code:str}                              | overseer own 200 below 200
POST /villages/{code:str}/opening                      | committee below unopened 303 exempt 303 opened 409
POST /villages/{code:str}/exemption                    | committee below unopened 303 exempt 303 opened 409
GET  /exemptions/new                                   | 书记 200 | keeper 200
POST /exemptions/new about closed                      | 书记 303 | keeper 303
POST /exemptions/new about opened                      | 书记 409 | keeper 409
POST /exemptions/{exemption_id:int}/opinion            | committee below asked 303 else 409
POST /exemptions/{exemption_id:int}/return             | committee below asked 303 else 409
POST /exemptions/{exemption_id:int}/filing             | 县级管理员 below weighed 303 else 409
POST /exemptions/{exemption_id:int}/prolonging         | 县级管理员 below filed 303 else 409
POST /exemptions/{exemption_id:int}/refusal            | 县级管理员 below weighed 303 else 409

GET  /catalogues/{county:str}                          | local above 200 | overseer own 200 above 200 below 200
GET  /catalogues/{county:str}/versions/{number:int}    | local above 200 | overseer own 200 above 200 below 200
POST /catalogues/{county:str}/draft                    | 县级管理员 own 303
GET  /catalogues/{county:str}/draft                    | 县级管理员 own 200
GET  /catalogues/{county:str}/draft/items/new          | 县级管理员 own 200
POST /catalogues/{county:str}/draft/items/new          | 县级管理员 own 303
GET  /catalogues/{county:str}/draft/items/{item_id:int} | 县级管理员 own 200
POST /catalogues/{county:str}/draft/items/{item_id:int} | 县级管理员 own 303
POST /catalogues/{county:str}/draft/items/{item_id:int}/removal | 县级管理员 own 303
POST /catalogues/{county:str}/draft/discarding         | 县级管理员 own 303
POST /catalogues/{county:str}/publication              | 县级管理员 own 303
GET  /county-settings                                  | 县级管理员 200
POST /county-settings                                  | 县级管理员 303

GET  /disclosures                                      | local 200 | overseer 303
GET  /disclosures/new                                  | keeper 200
POST /disclosures about duty                           | keeper 303
POST /disclosures about event                          | keeper 303
POST /disclosures/cleaned                              | keeper 200
GET  /disclosures/nothing                              | keeper 200
POST /disclosures/nothing                              | keeper 303
GET  /disclosures/duties/{duty_id:int} about villagers
    | signer own owed 200 begun 303 answered 303 declared 200 | keeper own owed 200 begun 303 answered 303 declared 200
    | 村民 own owed 200 begun 200 answered 303 declared 200 | member own owed 200 begun 200 answered 303 declared 200
    | overseer below answered 303 declared 200 else 303
POST /disclosures/duties/{duty_id:int}/reopening about villagers
    | keeper own declared 303 else 409 | reviewer below declared 303 else 409
POST /disclosures/duties/{duty_id:int}/reopening about members
    | keeper own declared 303 else 409 | reviewer below declared 303 else 409
GET  /disclosures/duties/{duty_id:int} about members
    | 书记 own owed 200 begun 303 answered 303 declared 200 | keeper own owed 200 begun 303 answered 303 declared 200
    | villager own 404 | member own owed 200 begun 200 answered 303 declared 200
    | overseer below answered 303 declared 200 else 303

GET  /disclosures/{matter_id:int}
    | 村民 own published 200 correcting 200 asked 200 withdrawn 200 else 404
    | 村务监督委员会 own members 404 else 200 | 书记 own 200 | keeper own 200
    | member own published 200 correcting 200 asked 200 withdrawn 200 members 200 else 404
    | overseer below draft 404 signing 404 else 200
GET  /disclosures/{matter_id:int}/versions/{number:int}
    | 村民 own published 200 correcting 200 asked 200 else 404
    | 村务监督委员会 own published 200 correcting 200 asked 200 withdrawn 200 else 404
    | member own published 200 correcting 200 asked 200 members 200 else 404
    | 书记 own published 200 correcting 200 asked 200 withdrawn 200 members 200 else 404
    | keeper own published 200 correcting 200 asked 200 withdrawn 200 members 200 else 404
    | overseer below published 200 correcting 200 asked 200 withdrawn 200 members 200 else 404
GET  /disclosures/{matter_id:int}/versions/{number:int}/sheet
    | 村民 own published 200 correcting 200 asked 200 else 404
    | 村务监督委员会 own published 200 correcting 200 asked 200 withdrawn 409 else 404
    | member own published 200 correcting 200 asked 200 else 404
    | 书记 own published 200 correcting 200 asked 200 withdrawn 409 else 404
    | keeper own published 200 correcting 200 asked 200 withdrawn 409 else 404
    | overseer below published 200 correcting 200 asked 200 withdrawn 409 else 404
GET  /disclosures/{matter_id:int}/versions/{number:int}/wall
    | 村民 own published 200 correcting 200 asked 200 withdrawn 303 else 404
    | 村务监督委员会 own published 200 correcting 200 asked 200 withdrawn 303 else 404
    | member own published 200 correcting 200 asked 200 withdrawn 303 members 200 else 404
    | 书记 own published 200 correcting 200 asked 200 withdrawn 303 members 200 else 404
    | keeper own published 200 correcting 200 asked 200 withdrawn 303 members 200 else 404
    | overseer below published 200 correcting 200 asked 200 withdrawn 303 members 200 else 404
GET  /disclosures/{matter_id:int}/broadcast
    | villager own published 200 correcting 200 asked 200 else 404
    | local own published 200 correcting 200 asked 200 else 404
    | overseer below published 200 correcting 200 asked 200 else 404
GET  /disclosures/{matter_id:int}/files/{file_id:int}
    | 村民 own published 200 correcting 200 asked 200 else 404
    | 村务监督委员会 own members 404 else 200 | 书记 own 200 | keeper own 200
    | member own published 200 correcting 200 asked 200 members 200 else 404
    | overseer below draft 404 signing 404 returned 404 else 200
GET  /disclosures/{matter_id:int}/vouchers/{file_id:int} about ledger
    | 村民 own published 200 correcting 200 asked 200 else 404
    | signer own 200 | keeper own 200
    | member own published 200 correcting 200 asked 200 else 404
    | overseer below draft 404 signing 404 returned 404 else 200
GET  /disclosures/{matter_id:int}/versions/{number:int}/lines about ledger
    | 村民 own published 200 correcting 200 asked 200 else 404
    | signer own 200 | keeper own 200
    | member own published 200 correcting 200 asked 200 else 404
    | overseer below draft 404 signing 404 returned 404 else 200

GET  /disclosures/{matter_id:int}/edit
    | keeper own draft 200 returned 200 correcting 200 signing 303 submitted 303 approved 303 else 404
POST /disclosures/{matter_id:int}/edit
    | keeper own draft 303 returned 303 correcting 303 else 409
POST /disclosures/{matter_id:int}/draft
    | keeper own draft 204 returned 204 correcting 204 else 409
GET  /disclosures/{matter_id:int}/preview
    | keeper own published 404 asked 404 withdrawn 404 members 404 else 200
POST /disclosures/{matter_id:int}/submission
    | keeper own draft 303 returned 303 correcting 303 else 409
POST /disclosures/{matter_id:int}/taking-back
    | keeper own signing 303 submitted 303 approved 303 else 409
POST /disclosures/{matter_id:int}/dropping
    | keeper own draft 303 returned 303 correcting 303 else 409
GET  /disclosures/{matter_id:int}/corrections
    | keeper own published 200 correcting 200 asked 200 members 200 else 409
POST /disclosures/{matter_id:int}/corrections
    | keeper own published 303 correcting 303 asked 303 members 303 else 409

GET  /disclosures/{matter_id:int}/signature
    | 村务监督委员会 own signing 200 members 404 else 303 | 书记 own signing 200 else 303
POST /disclosures/{matter_id:int}/signature
    | 村务监督委员会 own signing 303 members 404 else 409 | 书记 own signing 303 else 409
GET  /reviews                                          | reviewer 200
GET  /disclosures/{matter_id:int}/review
    | reviewer below submitted 200 draft 404 signing 404 withdrawn 409 else 303
POST /disclosures/{matter_id:int}/review
    | reviewer below submitted 303 draft 404 signing 404 else 409
GET  /reviews/offices                                  | committee 200
POST /reviews/offices                                  | committee 303
POST /reviews/offices/{office_id:int}/removal          | committee own 303
GET  /disclosures/{matter_id:int}/withdrawal
    | keeper own published 200 correcting 200 members 200 else 409
    | reviewer below published 200 correcting 200 members 200 asked 200 draft 404 signing 404 else 409
POST /disclosures/{matter_id:int}/withdrawal
    | keeper own published 303 correcting 303 members 303 else 409
    | reviewer below published 303 correcting 303 members 303 draft 404 signing 404 else 409
POST /disclosures/{matter_id:int}/withdrawal/decision
    | reviewer below asked 303 draft 404 signing 404 else 409

GET  /ledgers/{village:str}                            | local own 200 | overseer below 200
GET  /ledgers/{village:str}/{month:str}                | local own 200 | overseer below 200
GET  /disclosures/{matter_id:int}/ledger about ledger
    | keeper own draft 200 returned 200 correcting 200 signing 303 submitted 303 approved 303 else 404
POST /disclosures/{matter_id:int}/opening about ledger
    | keeper own draft 303 returned 303 correcting 303 else 409
GET  /disclosures/{matter_id:int}/lines/new about ledger
    | keeper own draft 200 returned 200 correcting 200 signing 409 submitted 409 approved 409 else 404
POST /disclosures/{matter_id:int}/lines/new about ledger
    | keeper own draft 303 returned 303 correcting 303 else 409
GET  /disclosures/{matter_id:int}/lines/{line:int} about ledger
    | keeper own draft 200 returned 200 correcting 200 signing 409 submitted 409 approved 409 else 404
POST /disclosures/{matter_id:int}/lines/{line:int} about ledger
    | keeper own draft 303 returned 303 correcting 303 else 409
POST /disclosures/{matter_id:int}/lines/{line:int}/removal about ledger
    | keeper own draft 303 returned 303 correcting 303 else 409
GET  /disclosures/{matter_id:int}/sheet about ledger
    | keeper own draft 200 returned 200 correcting 200 signing 409 submitted 409 approved 409 else 404
GET  /disclosures/{matter_id:int}/sheet/template about ledger
    | keeper own draft 200 returned 200 correcting 200 signing 409 submitted 409 approved 409 else 404
POST /disclosures/{matter_id:int}/sheet about ledger
    | keeper own draft 303 returned 303 correcting 303 else 409
GET  /ledger-imports                                   | reviewer 200
GET  /ledger-imports/template                          | reviewer 200
POST /ledger-imports                                   | reviewer 303
GET  /ledger-imports/{import_id:int} about village     | keeper own 200 | reviewer 404
GET  /ledger-imports/{import_id:int} about township    | keeper 404 | reviewer own 200
POST /ledger-imports/{import_id:int}/pause about village | keeper own 303 | reviewer 404
POST /ledger-imports/{import_id:int}/pause about township | keeper 404 | reviewer own 303
POST /ledger-imports/{import_id:int}/resumption about village | keeper own 303 | reviewer 404
POST /ledger-imports/{import_id:int}/resumption about township | keeper 404 | reviewer own 303

GET  /disclosures/{matter_id:int}/questions/new
    | villager own published 200 correcting 200 asked 200 else 404
    | asker own published 200 correcting 200 asked 200 members 200 else 404
POST /disclosures/{matter_id:int}/questions
    | villager own published 303 correcting 303 asked 303 withdrawn 409 else 404
    | asker own published 303 correcting 303 asked 303 withdrawn 409 members 303 else 404
POST /disclosures/{matter_id:int}/versions/{number:int}/mismatch
    | villager own published 303 correcting 303 asked 303 withdrawn 409 else 404
    | asker own published 303 correcting 303 asked 303 withdrawn 409 members 303 else 404
GET  /questions                                        | local 200 | overseer 200
GET  /questions/{question_id:int} about village
    | 书记 own 200 mine 200 | keeper own 200 | asker mine 200 | overseer below 200
GET  /questions/{question_id:int} about township       | asker mine 200 | keeper own 404 | overseer below 200
GET  /questions/{question_id:int} about county         | asker mine 200 | keeper own 404 | overseer below 200
POST /questions/{question_id:int}/answer about village
    | 书记 own open 303 else 409 | keeper own open 303 else 409
    | reviewer below open 403 else 409 | 县级管理员 below open 403 else 409
POST /questions/{question_id:int}/answer about township
    | 书记 own 404 | keeper own 404 | reviewer below open 303 else 409 | 县级管理员 below open 403 else 409
POST /questions/{question_id:int}/answer about county
    | 书记 own 404 | keeper own 404 | reviewer below open 403 else 409 | 县级管理员 below open 303 else 409
POST /questions/{question_id:int}/agreement about village
    | asker mine 303 own 404 | keeper own 404 | overseer below 404
POST /questions/{question_id:int}/hiding about village
    | committee below open 303 answered 303 hidden 409 | 县级管理员 below open 303 answered 303 hidden 409

GET  /query-accounts/new                               | anonymous 200 | everyone 200
POST /query-accounts/new                               | anonymous 200 | everyone 200
GET  /query-accounts                                   | clerk 200 | committee 200
POST /query-accounts/search                            | clerk own 200 | committee below 200
GET  /query-accounts/applications/{application_id:int} | clerk own 200 | committee below 200
POST /query-accounts/applications/{application_id:int}/opening
    | clerk own waiting 303 else 409 | committee below waiting 303 else 409
POST /query-accounts/applications/{application_id:int}/refusal
    | clerk own waiting 303 else 409 | committee below waiting 303 else 409
GET  /query-accounts/choice                            | clerk 200 | committee 404
POST /query-accounts/choice                            | clerk 303 | committee 404
GET  /query-accounts/confirmation                      | clerk 200 | committee 404
POST /query-accounts/confirmation                      | clerk 303 | committee 404
GET  /query-accounts/{reader_id:int}                   | clerk own 200 | committee below 200
POST /query-accounts/{reader_id:int}/ending
    | clerk own reading 303 ended 409 | committee below reading 303 ended 409
POST /query-accounts/{reader_id:int}/household         | clerk own 303 | committee below 303
GET  /query-accounts/own                               | villager 200
POST /query-accounts/own/household                     | villager 303
GET  /query-accounts/imports                           | clerk 200 | committee 200
GET  /query-accounts/imports/template                  | clerk 200 | committee 200
POST /query-accounts/imports                           | clerk 303 | committee 303
GET  /query-accounts/imports/{import_id:int}           | clerk own 200 mine 200 | committee own 200 mine 200
GET  /query-accounts/imports/{import_id:int}/wrong-rows | clerk mine 200 | committee mine 200
POST /query-accounts/imports/{import_id:int}/pause     | clerk own 303 mine 303 | committee own 303 mine 303
POST /query-accounts/imports/{import_id:int}/resumption | clerk own 303 mine 303 | committee own 303 mine 303

GET  /threads/{thread_id:int} about disclosures        | branch own 200 | anybody 404
GET  /threads/{thread_id:int} about party_affairs      | branch own 200 | anybody 404
GET  /threads/{thread_id:int} about village_finance    | villager own 200 | keeper own 200 | anybody 404
GET  /threads/{thread_id:int} about village_affairs    | villager own 200 | keeper own 200 | anybody 404
GET  /threads/{thread_id:int} about questions          | anybody mine 200
POST /threads/{thread_id:int}/entries about disclosures | branch 404
POST /threads/{thread_id:int}/entries about village_finance | branch 404
POST /threads/{thread_id:int}/entries about questions  | branch 404
GET  /supervision                                      | overseer 200
GET  /supervision/{code:str}                           | overseer own 200 below 200
GET  /supervision/{code:str}/export                    | overseer own 200 below 200
GET  /pressing                                         | overseer 200
POST /pressing                                         | overseer 303
GET  /spot-checks                                      | keeper 200 | 书记 200 | overseer 200
GET  /spot-checks/new                                  | inspector 200
POST /spot-checks/new                                  | inspector below 303
GET  /spot-checks/{check_id:int}                       | keeper own 200 | 书记 own 200 | overseer below 200
GET  /spot-checks/{check_id:int}/photos/{file_id:int}  | keeper own 200 | 书记 own 200 | overseer below 200
POST /spot-checks/{check_id:int}/mending               | keeper own mending 303 else 409
POST /spot-checks/{check_id:int}/closing
    | committee below mended 303 else 409
    | 县级管理员 below 403 | 市级管理员 below 403 | 省级管理员 below 403
POST /spot-checks/{check_id:int}/return
    | committee below mended 303 else 409
    | 县级管理员 below 403 | 市级管理员 below 403 | 省级管理员 below 403

POST /uploads about matter                             | keeper 200
POST /uploads about ledger                             | keeper 200
POST /uploads about check                              | keeper 200 | 书记 200 | overseer 200
"""
