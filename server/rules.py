"""What the domains declare to the house, imported in one place: deadlines, what must follow a new
calendar, and the encrypted columns that a rotation of the keys goes through."""
import server.catalogues.rules
import server.core.audit
import server.core.sms
import server.disclosure.rules
import server.meetings.actions
import server.meetings.rules
import server.officers.tables
import server.people.tables
import server.query_accounts.rules
import server.query_accounts.tables
import server.questions.rules
import server.supervision.rules  # noqa: F401
