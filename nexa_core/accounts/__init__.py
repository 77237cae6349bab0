"""Accounts: who somebody is, how they sign in, and how they stay signed in."""

from nexa_core.accounts.devices import device_label
from nexa_core.accounts.identity import (
    actor_of_access_token,
    actor_of_cookie,
    actor_of_user_session,
    living_user_sessions,
)
from nexa_core.accounts.passwords import hash_password
from nexa_core.accounts.people import create_admin, end_sign_ins_of, resume_user, suspend_user, unlock
from nexa_core.accounts.profile import ProfileView, my_profile, timezones, update_profile
from nexa_core.accounts.recovery import change_password, request_password_reset, set_password
from nexa_core.accounts.service import (
    BrowserSignIn,
    SignInTicket,
    TokenPair,
    issue_tokens,
    open_browser_sign_in,
    refresh_tokens,
    sign_in,
    sign_in_as_demo,
)
from nexa_core.accounts.sign_ins import (
    MembershipView,
    SignInView,
    end_other_sign_ins,
    end_sign_in,
    my_organizations,
    my_sign_ins,
    sign_out,
    switch_organization,
)
from nexa_core.accounts.upkeep import purge
from nexa_core.accounts.viewing import stop_viewing, view_as

__all__ = [
    "BrowserSignIn",
    "MembershipView",
    "ProfileView",
    "SignInTicket",
    "SignInView",
    "TokenPair",
    "actor_of_access_token",
    "actor_of_cookie",
    "actor_of_user_session",
    "change_password",
    "create_admin",
    "device_label",
    "end_other_sign_ins",
    "end_sign_in",
    "end_sign_ins_of",
    "hash_password",
    "issue_tokens",
    "living_user_sessions",
    "my_organizations",
    "my_profile",
    "my_sign_ins",
    "open_browser_sign_in",
    "purge",
    "refresh_tokens",
    "request_password_reset",
    "resume_user",
    "set_password",
    "sign_in",
    "sign_in_as_demo",
    "sign_out",
    "stop_viewing",
    "suspend_user",
    "switch_organization",
    "timezones",
    "unlock",
    "update_profile",
    "view_as",
]
