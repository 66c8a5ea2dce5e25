"""Assembles the application; nothing else."""
import contextlib
import gc
from collections.abc import AsyncIterator, Sequence

import click
from litestar import Litestar
from litestar.config.compression import CompressionConfig
from litestar.middleware import DefineMiddleware
from litestar.plugins import CLIPlugin
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template.config import TemplateConfig
from litestar.types import ControllerRouterHandler

import server.disclosure.todos
import server.ledgers.todos
import server.meetings.todos
import server.officers.todos
import server.query_accounts.todos
import server.questions.cards
import server.supervision.todos
import server.todos.registrations
import server.villages.todos  # noqa: F401  (what they put on the 工作台)
from server.accounts import activation_handlers as activation
from server.accounts import handlers as accounts
from server.accounts import message_handlers as messages
from server.accounts import password_handlers as passwords
from server.accounts import session_handlers as sessions
from server.accounts import step_up_handlers as step_up
from server.accounts.authentication import Authentication
from server.catalogues import handlers as catalogues
from server.catalogues import setting_handlers as county_settings
from server.core import assets, database, health, live, picture_code
from server.core import upload_handlers as uploads
from server.core.answers import EXCEPTION_HANDLERS, count_for_refusal, put_headers
from server.core.guard import enforce
from server.core.logs import begin_log, logged
from server.core.origin import with_sound_host
from server.core.patience import patient
from server.core.templates import ENVIRONMENT
from server.demo import handlers as demo
from server.disclosure import duty_handlers as duties
from server.disclosure import editing_handlers as editing
from server.disclosure import handlers as disclosure
from server.disclosure import office_handlers as offices
from server.disclosure import published_handlers as published
from server.disclosure import review_handlers as reviews
from server.disclosure import submission_handlers as submissions
from server.evidence import handlers as evidence
from server.leaving import handlers as leaving
from server.ledgers import handlers as ledgers
from server.ledgers import import_handlers as ledger_imports
from server.meetings import amendment_handlers as amendments
from server.meetings import change_handlers as changes
from server.meetings import check_in_handlers as check_in
from server.meetings import handlers as meetings
from server.meetings import history_handlers as history
from server.meetings import log_handlers as logs
from server.members import handlers as members
from server.members import register_handlers as register
from server.members import registration_handlers as registration
from server.officers import handlers as officers
from server.officers import import_handlers as imports
from server.officers import nomination_handlers as nominations
from server.query_accounts import account_handlers as query_account
from server.query_accounts import application_handlers as applying
from server.query_accounts import handlers as query_accounts
from server.query_accounts import import_handlers as reader_imports
from server.query_accounts import verifying_handlers as verifying
from server.questions import handlers as questions
from server.supervision import check_handlers as spot_checks
from server.supervision import handlers as supervision
from server.threads import handlers as threads
from server.todos import handlers as todos
from server.villages import handlers as villages

POOL = 12  # connections per web process
FORM_LIMIT = 2_000_000  # bytes; uploads raise it where they come in


ROUTES = [
    assets.serve, health.health, *picture_code.ROUTES, *uploads.ROUTES, *accounts.ROUTES, *activation.ROUTES,
    *sessions.ROUTES, *step_up.ROUTES, *passwords.ROUTES, *messages.ROUTES, *members.ROUTES, *register.ROUTES,
    *registration.ROUTES, *leaving.ROUTES,
    *threads.ROUTES, *todos.ROUTES, *meetings.ROUTES, *changes.ROUTES,
    *check_in.ROUTES, *logs.ROUTES, *amendments.ROUTES, *history.ROUTES, *demo.ROUTES, *evidence.ROUTES,
    *officers.ROUTES, *nominations.ROUTES, *imports.ROUTES, *villages.ROUTES, *catalogues.ROUTES,
    *county_settings.ROUTES, *disclosure.ROUTES, *duties.ROUTES, *editing.ROUTES,
    *submissions.ROUTES, *reviews.ROUTES, *offices.ROUTES, *published.ROUTES, *ledgers.ROUTES,
    *ledger_imports.ROUTES, *questions.ROUTES,
    *applying.ROUTES, *verifying.ROUTES, *reader_imports.ROUTES, *query_accounts.ROUTES, *query_account.ROUTES,
    *supervision.ROUTES, *spot_checks.ROUTES,
]


class Commands(CLIPlugin):
    """Puts our commands into Litestar's command line."""

    def on_cli_init(self, cli: click.Group) -> None:
        from server.commands import COMMANDS  # here: what they need, no web process needs

        for command in COMMANDS:
            cli.add_command(command)


@contextlib.asynccontextmanager
async def lifespan(_: Litestar) -> AsyncIterator[None]:
    """The database's connections and the relay of live topics, for as long as the process serves."""
    begin_log()
    await database.open_pool(POOL, statement_s=10)
    gc.collect()
    gc.freeze()  # what was imported stays: the collector need not walk through it again and again
    try:
        async with live.relaying():
            yield
    finally:
        await live.close()
        await database.engine().close_connection_pool()


def make_app(routes: Sequence[ControllerRouterHandler] = ROUTES) -> Litestar:
    """The application with every domain's routes; the bench asks for others behind the same server."""
    made = Litestar(
        route_handlers=routes,
        guards=[enforce],
        before_send=[put_headers],
        after_exception=[count_for_refusal],
        middleware=[DefineMiddleware(Authentication, exclude=["^/static/", "^/health$"])],
        exception_handlers=EXCEPTION_HANDLERS,
        template_config=TemplateConfig(instance=JinjaTemplateEngine.from_environment(ENVIRONMENT)),
        compression_config=CompressionConfig(
            backend="gzip", gzip_compress_level=4, minimum_size=600,
            exclude=["^/static/", "^/live", "/live$", "^/uploads/", "/(photos|attachments|files|vouchers)/"],
        ),
        plugins=[Commands()],
        lifespan=[lifespan],
        request_max_body_size=FORM_LIMIT,
        openapi_config=None,
        logging_config=None,
    )
    # around all of it: an unknown address is answered, too
    made.asgi_handler = logged(with_sound_host(patient(made.asgi_handler)))
    return made


app = make_app()
