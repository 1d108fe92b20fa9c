"""The routes of the pages about accounts."""

from typing import Final

from httpkit.routes import Route
from portal.console.accounts import one_user, own, users

_LIST: Final = "/console/users"
_ONE: Final = "/console/users/{username}"

ACCOUNT_ROUTES: Final = (
    Route("GET", own.PATH, own.show_account, None, is_json=False),
    Route("POST", own.PATH, own.change_password, None, is_json=False),
    Route("GET", _LIST, users.show_users, None, is_json=False),
    # The form is beside the list, not below it: "new" is a user name like any other.
    Route("GET", "/console/new-user", users.show_new_user, None, is_json=False),
    Route("POST", "/console/new-user", users.create_user, None, is_json=False),
    Route("GET", _ONE, one_user.show_user, None, is_json=False),
    Route("POST", _ONE, one_user.act_on_user, None, is_json=False),
)
