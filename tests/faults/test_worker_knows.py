"""What the domains declare is declared in the worker, too, a process of its own; or what is put down for it fails."""
import json
import subprocess
import sys

import pytest

DECLARED = """
import json
{imports}
from server.core import calendar_days, deadlines, effects
from server.disclosure import parts, publication

print(json.dumps({{
    "what is done later": sorted(effects.CARRIERS), "forms of a matter": sorted(map(str, parts.PARTS)),
    "deadlines": sorted(deadlines.RULES),
    "what stands beside a matter": sorted(one.__module__ for one in publication.BESIDE),
    "what follows a new calendar": sorted(one.__module__ for one in calendar_days._recomputes)}}))
"""
EVERYTHING = """
import pkgutil
import server
for one in pkgutil.walk_packages(server.__path__, "server."):
    if not one.name.startswith(("server.demo", "server.migrations", "server.commands", "server.piccolo")):
        __import__(one.name)
"""


@pytest.fixture(scope="module")
def declared() -> dict[str, dict[str, list[str]]]:
    return {who: json.loads(subprocess.run([sys.executable, "-c", DECLARED.format(imports=imports)],
                                           capture_output=True, text=True, check=True).stdout)
            for who, imports in (("everybody", EVERYTHING), ("the worker", "import tasks.worker"))}


@pytest.mark.parametrize("what", ["what is done later", "forms of a matter", "deadlines",
                                  "what stands beside a matter", "what follows a new calendar"])
def test_the_worker_knows_what_is_declared_anywhere(declared, what):
    assert declared["everybody"][what], "there are some"
    assert declared["the worker"][what] == declared["everybody"][what]
