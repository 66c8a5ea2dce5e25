"""What the domains declare to the house, imported in one place: deadlines, and what must follow a new calendar."""
import server.meetings.actions
import server.meetings.rules  # noqa: F401
