"""Accounts: who somebody is, how they sign in, and how they stay signed in."""

from nexa_core.accounts.api_keys import KEY_MARK, actor_of_api_key
from nexa_core.accounts.devices import device_label
from nexa_core.accounts.directory import (
    KINDS,
    STATUSES,
    PeoplePage,
    PersonMembership,
    PersonRow,
    PersonView,
    find_people,
    person,
)
from nexa_core.accounts.identity import (
    actor_of_access_token,
    actor_of_cookie,
    actor_of_user_session,
    living_user_sessions,
)
from nexa_core.accounts.passwords import hash_password
from nexa_core.accounts.people import (
    create_admin,
    delete_user,
    end_sign_in_of,
    end_sign_ins_of,
    restore_user,
    resume_user,
    send_reset_link,
    suspend_user,
    unlock,
)
from nexa_core.accounts.privacy import (
    ErasedWord,
    ErasureCertificate,
    ErasureReport,
    certificate,
    erase_person,
    export_person,
    plan_erasure,
)
from nexa_core.accounts.profile import ProfileView, my_profile, update_profile
from nexa_core.accounts.recovery import change_password, request_password_reset, set_password
from nexa_core.accounts.security import Lock, SecurityEvent
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
from nexa_core.accounts.viewing import expire_viewings, stop_viewing, view_as

__all__ = [
    "KEY_MARK",
    "KINDS",
    "STATUSES",
    "BrowserSignIn",
    "ErasedWord",
    "ErasureCertificate",
    "ErasureReport",
    "Lock",
    "MembershipView",
    "PeoplePage",
    "PersonMembership",
    "PersonRow",
    "PersonView",
    "ProfileView",
    "SecurityEvent",
    "SignInTicket",
    "SignInView",
    "TokenPair",
    "actor_of_access_token",
    "actor_of_api_key",
    "actor_of_cookie",
    "actor_of_user_session",
    "certificate",
    "change_password",
    "create_admin",
    "delete_user",
    "device_label",
    "end_other_sign_ins",
    "end_sign_in",
    "end_sign_in_of",
    "end_sign_ins_of",
    "erase_person",
    "expire_viewings",
    "export_person",
    "find_people",
    "hash_password",
    "issue_tokens",
    "living_user_sessions",
    "my_organizations",
    "my_profile",
    "my_sign_ins",
    "open_browser_sign_in",
    "person",
    "plan_erasure",
    "purge",
    "refresh_tokens",
    "request_password_reset",
    "restore_user",
    "resume_user",
    "send_reset_link",
    "set_password",
    "sign_in",
    "sign_in_as_demo",
    "sign_out",
    "stop_viewing",
    "suspend_user",
    "switch_organization",
    "unlock",
    "update_profile",
    "view_as",
]
