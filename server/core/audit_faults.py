"""What can be wrong with the evidence, in words: English for the command line, Chinese for the auditor's page."""
from dataclasses import dataclass
from typing import Any

WORDS = {
    "seal missing": ("chain {chain}, number {number}: a seal is missing (the next one is number {next})",
                     "{chain}第 {number} 条：封签不见了（接下来的是第 {next} 条）"),
    "removed": ("chain {chain}, number {number}: event {event} has been removed",
                "{chain}第 {number} 条：记录 {event} 已被删除"),
    "edited": ("chain {chain}, number {number}: event {event} is not what was sealed here",
               "{chain}第 {number} 条：记录 {event} 与封存时不一致"),
    "value other": ("event {event}: a personal value kept beside it is not what it was committed to",
                    "记录 {event} 旁存的个人信息与当时的承诺值不一致"),
    "value gone": ("event {event}: a personal value it was committed to is gone without an erasure",
                   "记录 {event} 旁存的个人信息不见了，也没有依法删除的记录"),
    "erased more": ("event {event}: it is not all of what this erasure says that it erased",
                    "记录 {event}：被删除的个人信息与这次依法删除所记的不一致"),
    "chain gone": ("checkpoint {checkpoint} of {at} is contradicted: chain {chain}, number 1: the whole chain of "
                   "{number} rows is gone",
                   "与 {at} 的检查点 {checkpoint} 不符：{chain}的 {number} 条记录全部不见了"),
    "rows gone": ("checkpoint {checkpoint} of {at} is contradicted: chain {chain}, number {first}: rows {first} to "
                  "{number} are gone",
                  "与 {at} 的检查点 {checkpoint} 不符：{chain}第 {first} 至 {number} 条不见了"),
    "sealed anew": ("checkpoint {checkpoint} of {at} is contradicted: chain {chain}, number {number} is another than "
                    "what was signed",
                    "与 {at} 的检查点 {checkpoint} 不符：{chain}第 {number} 条及以前被重新封存过"),
    "stands": ("(what checkpoint {checkpoint} of {at} says still stands)", "（{at} 的检查点 {checkpoint} 仍然相符）"),
    "not ours": ("{name}: it is no checkpoint", "{name}：不是检查点"),
    "other key": ("{name}: another key has signed it", "{name}：不是本系统的密钥签的"),
    "changed": ("{name}: it is not what this installation's key has signed", "{name}：与签名不符，内容被改过"),
    "two": ("{name}: the one in the folder is not the one in the database", "{name}：文件夹里的与数据库里的不一样"),
    "gone": ("{name}: it has been removed from the database", "{name}：已从数据库里删除"),
    "does not follow": ("{name}: the former one is not what it follows", "{name}：与前一个检查点接不上"),
    "not kept": ("{name}: it is not in the database", "{name}：数据库里没有"),
    "older state": ("the database ends with checkpoint {kept}, the folder with {number}: it was put back to an older "
                    "state, or its end was cut off. After a rightful restore: ebranch checkpoint --after-restore WHY",
                    "数据库只到检查点 {kept}，文件夹里有到 {number} 的：数据库被恢复到了较早的状态，或者末尾被截掉了"),
    "put back": ("checkpoint {checkpoint} of {at} says that the database was put back to its state of checkpoint "
                 "{restored_to}, and what came after is gone: {why}",
                 "{at} 的检查点 {checkpoint} 说明：数据库已恢复到检查点 {restored_to} 时的状态，"
                 "其后的记录没有了。原因：{why}"),
    "cannot sign": ("checkpoint {number} is in the folder and not in the database", "检查点 {number} 只在文件夹里有"),
}
ENGLISH, CHINESE = 0, 1


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong. kind: a key of WORDS; facts: what its words say; beside: what is added."""

    kind: str
    facts: dict[str, Any]
    beside: "Fault | None" = None

    def said(self, language: int = ENGLISH, **other: Any) -> str:
        """In words. other: facts that are said otherwise, such as the chain by its name."""
        after = f" {self.beside.said(language)}" if self.beside else ""
        return WORDS[self.kind][language].format(**self.facts | other) + after

    def __str__(self) -> str:
        return self.said()
