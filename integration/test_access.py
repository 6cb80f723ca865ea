"""The permission matrix: every URL, role and method, GET and POST with and without htmx.

The table of expected responses is written by hand; a URL that is not in it fails the test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from orders.models import AuditEntry, ItemState, Job, Operation, SavedView, State
from orders.rights import Role
from testing.domain import store_operation
from testing.job_pages import ended_job
from testing.users import make_user
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db

ROLES = ("anonymous", "no role", "viewer", "agent", "lead", "admin", "superuser")
LOGGED_IN = frozenset(ROLES[1:])
READERS = frozenset(ROLES[2:])
AGENTS = frozenset(ROLES[3:])
LEADS = frozenset(ROLES[4:])
ADMINS = frozenset(ROLES[5:])
EVERYBODY = frozenset(ROLES)

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/orders/?per_page=25"}


@dataclass(frozen=True)
class Row:
    """The roles with access, and their statuses for GET, HEAD, POST, PUT and DELETE.

    A POST carries no fields, so that it tests permissions and changes nothing.
    """

    may: frozenset[str]
    answers: tuple[int, int, int, int, int]
    is_personal: bool = True

    def expected(self, role: str, method: str, *, is_htmx: bool) -> int:
        if role == "anonymous" and self.may is not EVERYBODY:
            return 401 if is_htmx else 302
        status = self.answers[METHODS.index(method)]
        return status if role in self.may or status == 405 else 403


TABLE: dict[str, Row] = {
    "home": Row(LOGGED_IN, (302, 302, 405, 405, 405)),
    "order_list": Row(READERS, (200, 200, 405, 405, 405)),
    "search_box_options": Row(READERS, (204, 204, 405, 405, 405)),
    "order_filters": Row(READERS, (200, 200, 405, 405, 405)),
    "order_columns": Row(READERS, (200, 200, 303, 405, 405)),
    "order_help": Row(READERS, (200, 200, 405, 405, 405)),
    "order_counts": Row(READERS, (200, 200, 405, 405, 405)),
    "order_facets": Row(READERS, (200, 200, 405, 405, 405)),
    "order_changes": Row(READERS, (200, 200, 405, 405, 405)),
    "order_choices": Row(READERS, (200, 200, 405, 405, 405)),
    "order_export": Row(LEADS, (200, 405, 405, 405, 405)),
    "order_find": Row(READERS, (200, 200, 422, 405, 405)),
    # Another person's.
    "ticket": Row(READERS, (404, 404, 405, 405, 405)),
    "order_views": Row(AGENTS, (200, 200, 422, 405, 405)),
    "order_view": Row(LEADS, (405, 405, 422, 405, 405)),
    "order_detail": Row(READERS, (200, 200, 405, 405, 405)),
    "order_access": Row(AGENTS, (405, 405, 422, 405, 405)),
    "order_cancel": Row(AGENTS, (200, 200, 422, 405, 405)),
    "order_expiration": Row(AGENTS, (200, 200, 422, 405, 405)),
    "order_expiration_preview": Row(AGENTS, (200, 200, 405, 405, 405)),
    "operation": Row(READERS, (200, 200, 405, 405, 405)),
    "operation_undo": Row(AGENTS, (302, 302, 422, 405, 405)),
    "operation_settle": Row(LEADS, (302, 302, 422, 405, 405)),
    "expiring": Row(READERS, (200, 200, 405, 405, 405)),
    "jobs": Row(READERS, (200, 200, 405, 405, 405)),
    "job": Row(READERS, (200, 200, 405, 405, 405)),
    # Another person's.
    "job_status": Row(LEADS, (204, 204, 405, 405, 405)),
    "job_export": Row(LEADS, (200, 405, 405, 405, 405)),
    # The job has ended: nothing is left to change, and everything has been run.
    "job_stop": Row(LEADS, (405, 405, 409, 405, 405)),
    "job_resume": Row(LEADS, (405, 405, 409, 405, 405)),
    "job_approve": Row(LEADS, (405, 405, 409, 405, 405)),
    "job_decline": Row(LEADS, (405, 405, 409, 405, 405)),
    "job_retry": Row(LEADS, (405, 405, 409, 405, 405)),
    "job_undo": Row(LEADS, (405, 405, 409, 405, 405)),
    "job_run_remaining": Row(LEADS, (405, 405, 409, 405, 405)),
    "selection_create": Row(LEADS, (405, 405, 422, 405, 405)),
    "selection_count": Row(LEADS, (200, 200, 405, 405, 405)),
    # Another person's.
    "selection": Row(LEADS, (404, 404, 404, 405, 405)),
    "audit": Row(AGENTS, (200, 200, 405, 405, 405)),
    "system": Row(ADMINS, (200, 200, 200, 405, 405)),
    "sync_resume": Row(ADMINS, (405, 405, 200, 405, 405)),
    "setup": Row(READERS, (200, 200, 405, 405, 405)),
    "setup_steps": Row(READERS, (200, 200, 405, 405, 405)),
    "commands": Row(READERS, (200, 200, 405, 405, 405)),
    "sync_status": Row(READERS, (200, 200, 405, 405, 405)),
    "settings": Row(LOGGED_IN, (200, 200, 422, 405, 405)),
    "login": Row(EVERYBODY, (200, 200, 422, 422, 405)),
    "logout": Row(LOGGED_IN, (405, 405, 302, 405, 405)),
    "sign_out_everywhere": Row(LOGGED_IN, (405, 405, 302, 405, 405)),
    "password_change": Row(LOGGED_IN, (200, 200, 422, 422, 405)),
    "admin_login": Row(EVERYBODY, (302, 302, 302, 405, 405)),
    "healthz": Row(EVERYBODY, (200, 200, 405, 405, 405), is_personal=False),
    "readyz": Row(EVERYBODY, (200, 200, 405, 405, 405), is_personal=False),
}
PARTS = {
    "order_list": ("section#results",),
    "order_detail": ("div#order-detail", "tr#order-1"),
    "order_cancel": ("div#dialog-body",),
    "order_expiration": ("div#dialog-body",),
    "operation": ("div#operation",),
    "jobs": ("div#jobs",),
    "job": ("div#job",),
    "audit": ("section#results",),
    "system": ("section#connection", "section#sync"),
}
# The login page redirects logged-in users for every method.
LOGGED_IN_AT_LOGIN = (302, 302, 302, 302, 302)

SECRETS = {
    "message": "A-MESSAGE-OF-THE-SENDER",
    "thank_you_note": "A-THANK-YOU-OF-THE-RECIPIENT",
    "individual_gift_link": "https://gifts.example.test/gift/GIFTTOKEN",
    "payment_link": "https://checkout.example.test/PAYMENTTOKEN",
    "a_field_of_tomorrow": "ONLY-IN-THE-RAW-JSON",
}
SEEN_BY = {
    "message": AGENTS,
    "thank_you_note": AGENTS,
    "individual_gift_link": AGENTS,
    "payment_link": ADMINS,
    "a_field_of_tomorrow": ADMINS,
}


@dataclass(frozen=True)
class Ground:
    """An order with every restricted value, a write for a lead to settle, a shared view, a job."""

    order_id: str
    operation: Operation
    view: SavedView
    job: Job

    def address(self, name: str) -> str:
        given = {
            "order_id": self.order_id,
            "operation_id": self.operation.pk,
        }
        wanted = {
            "order_access",
            "order_cancel",
            "order_expiration",
            "order_expiration_preview",
            "order_detail",
        }
        if name == "order_choices":
            return reverse(name, args=["sender"])
        if name in ("operation", "operation_settle", "operation_undo"):
            return reverse(name, kwargs=given)
        if name in ("ticket", "selection"):
            return reverse(name, args=[uuid4()])
        if name.startswith("job_") or name == "job":
            return reverse(name, args=[self.job.pk])
        if name == "order_view":
            return reverse(name, args=[self.view.pk])
        return reverse(name, args=[self.order_id] if name in wanted else [])


@pytest.fixture
def ground(emulator: Emulator) -> Ground:
    order_id = str(emulator.find_orders()[0]["id"])
    emulator.change_order(order_id, status="opened", **SECRETS)
    stuck = store_operation(
        order_uuid=UUID(order_id), state=State.NEEDS_HUMAN, unknown_at=timezone.now()
    )
    view = SavedView.objects.create(
        owner=make_user("lead", "a-lead"), name="All of it", name_key="all of it", is_shared=True
    )
    return Ground(order_id, stuck, view, ended_job(ItemState.DONE, orders=[UUID(order_id)]))


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def visitor(role: str) -> Client:
    client = Client()
    if role != "anonymous":
        client.force_login(person(role))
    return client


def person(role: str) -> User:
    if role == "superuser":
        return User.objects.create_superuser(f"root-{uuid4().hex[:8]}")
    user = make_user("" if role == "no role" else role)
    if role == "admin":
        # Staff status, which admits to Django's admin and nothing else.
        user.is_staff = True
        user.save()
    return user


def patterns(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry, entry.namespace or namespace)
        else:
            yield namespace, entry


def names_in_the_resolver() -> set[str]:
    return {
        entry.name or str(entry.pattern)
        for namespace, entry in patterns(get_resolver())
        if namespace != "admin"
    }


def test_permission_matrix_has_every_url() -> None:
    assert names_in_the_resolver() == set(TABLE)


def expected_status(name: str, role: str, method: str, *, is_htmx: bool) -> int:
    if name == "admin_login" and role not in ADMINS | {"anonymous"}:
        return 405 if method in ("PUT", "DELETE") else 403
    if name == "login" and role != "anonymous":
        return LOGGED_IN_AT_LOGIN[METHODS.index(method)]
    return TABLE[name].expected(role, method, is_htmx=is_htmx)


def ways(name: str, method: str) -> list[dict[str, str]]:
    """Headers of a plain request, of htmx for the whole page, and of htmx for each fragment.

    No page makes htmx send another method than GET and POST.
    """
    if method not in ("GET", "POST"):
        return [{}]
    parts = PARTS.get(name, ()) if method == "GET" else ()
    return [{}, HTMX, *(HTMX | {"HX-Target": target} for target in parts)]


def test_permission_matrix_matches_the_responses(
    role: str, ground: Ground, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    wrong, before = [], audited_writes()
    client = visitor(role)
    for name in TABLE:
        for method in METHODS:
            for headers in ways(name, method):
                answer = client.generic(method, ground.address(name), headers=headers)
                wanted = expected_status(name, role, method, is_htmx=bool(headers))
                where = f"{method} {name} {headers.get('HX-Target', bool(headers))}"
                if answer.status_code != wanted:
                    wrong.append(f"{where}: {answer.status_code} and not {wanted}")
                wrong += [f"{where}: {fault}" for fault in faults(answer, role, name)]
                if (
                    name in ("logout", "sign_out_everywhere")
                    and role != "anonymous"
                    and method == "POST"
                ):
                    client = visitor(role)
    assert wrong == []
    assert audited_writes() == before
    assert Operation.objects.get().state == State.NEEDS_HUMAN
    for secret in (settings.SECRET_KEY, settings.GOODY_API_KEY):
        assert secret not in caplog.text


def audited_writes() -> int:
    return AuditEntry.objects.exclude(operation=None).count()


def faults(answer: HttpResponse, role: str, name: str) -> list[str]:
    """Missing security headers, and values on the page that this role must not see."""
    page, found = answer.getvalue().decode(), []
    if "script-src 'self'" not in answer.headers.get("Content-Security-Policy", ""):
        found.append("no Content-Security-Policy")
    vary = {part.strip() for part in answer.headers.get("Vary", "").split(",")}
    if not {"HX-Request", "HX-Target"} <= vary:
        found.append(f"Vary is {vary}")
    if TABLE[name].is_personal and "no-store" not in answer.headers.get("Cache-Control", ""):
        found.append("may be stored")
    found += [
        f"shows {kind}"
        for kind, text in SECRETS.items()
        if text in page and role not in SEEN_BY[kind]
    ]
    if settings.SECRET_KEY in page or settings.GOODY_API_KEY in page:
        found.append("shows a key")
    return found


def test_permitted_roles_see_each_page(role: str, ground: Ground) -> None:
    """The values hidden from other roles are on the page for roles with the right."""
    page = visitor(role).get(ground.address("order_detail")).content.decode()
    seen = {kind for kind, text in SECRETS.items() if text in page}
    assert seen == {kind for kind, roles in SEEN_BY.items() if role in roles}


@pytest.mark.parametrize("role", sorted(LOGGED_IN))
def test_refused_roles_see_the_missing_right(role: str, ground: Ground) -> None:
    for name, row in TABLE.items():
        if role in row.may or row.answers[0] == 405:
            continue
        for headers in ({}, HTMX):
            answer = visitor(role).get(ground.address(name), headers=headers)
            page = answer.content.decode()
            if role == "no role":
                assert "Your account has no role yet" in page, name
            else:
                assert re.search(r"Your role may not .{5,60}\. An admin can make you an? ", page)
            assert "<h1" in page
            assert "Goody Admin" in page


def test_anonymous_user_returns_after_login(ground: Ground) -> None:
    client = visitor("anonymous")
    for name, row in TABLE.items():
        if row.may is EVERYBODY:
            continue
        address = ground.address(name)
        assert client.get(address)["Location"] == f"/login/?next={address.replace('/', '%2F')}"
        by_htmx = client.get(address, headers=HTMX)
        assert by_htmx["HX-Redirect"] == "/login/?next=%2Forders%2F%3Fper_page%3D25"
        assert by_htmx.content == b""


# --- A session that ends, a form that is not ours ---------------------------------------------


@pytest.mark.parametrize("name", ["order_cancel", "order_expiration"])
def test_a_session_that_ends_in_a_dialog_sends_nothing(
    emulator: Emulator, ground: Ground, name: str
) -> None:
    """The login redirects to the page by GET; the form is never posted automatically."""
    Operation.objects.update(state=State.NOT_APPLIED)
    client = visitor("agent")
    address = ground.address(name)
    opened = client.get(address)
    assert "form_key" in opened.content.decode()
    client.logout()
    typed = {"reason": "duplicate", "expiration": "2027-01-01"}

    plain = client.post(address, typed)
    by_htmx = client.post(address, typed, headers=HTMX)

    assert (plain.status_code, by_htmx.status_code) == (302, 401)
    user = make_user("agent")
    back = client.post(plain["Location"], {"username": user.username, "password": _PASSWORD})
    assert (back.status_code, back["Location"]) == (302, address)
    again = client.get(back["Location"])
    assert "form_key" in again.content.decode()
    assert emulator.posts() == 0
    assert Operation.objects.count() == 1


_PASSWORD = "a-password-for-tests"


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-CSRFToken": "x" * 32}, {"Sec-Fetch-Site": "cross-site"}],
    ids=["no token", "wrong token", "another site"],
)
@pytest.mark.parametrize("htmx", [{}, HTMX | {"HX-Target": "div#dialog-body"}], ids=["", "htmx"])
def test_a_form_that_is_not_ours_does_nothing_and_says_what_to_do(
    emulator: Emulator, ground: Ground, headers: dict[str, str], htmx: dict[str, str]
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("agent"))
    answer = client.post(
        ground.address("order_cancel"), {"reason": "duplicate"}, headers=headers | htmx
    )
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "This form could not be trusted" in page
    assert "Reload the page and try again." in page
    assert ("<html" in page) is not bool(htmx)
    assert emulator.posts() == 0
    noted = AuditEntry.objects.get(action="security.csrf")
    assert ground.address("order_cancel") in noted.detail


# --- Django's own admin -----------------------------------------------------------------------


CHANGES = re.compile(r"/(operation|auditentry)/.*(add|change|delete)/")


def admin_addresses(ground: Ground) -> list[str]:
    rows = {"operation": ground.operation.pk, "auditentry": AuditEntry.objects.first().pk}
    lists = ["order", "operation", "auditentry", "anomaly", "profile"]
    shown = [f"/django-admin/orders/{one}/" for one in lists] + [
        f"/django-admin/orders/{name}/{key}/{page}/"
        for name, key in rows.items()
        for page in ("change", "history", "delete")
    ]
    added = [f"/django-admin/orders/{one}/add/" for one in lists]
    people = ["/django-admin/auth/user/", "/django-admin/auth/user/add/"]
    return ["/django-admin/", *shown, *added, *people, "/django-admin/nowhere/"]


def test_djangos_admin_is_for_admins_and_only_to_look_at(role: str, ground: Ground) -> None:
    client = visitor(role)
    before = Operation.objects.get(), AuditEntry.objects.count()
    for address in admin_addresses(ground):
        for method in ("GET", "POST"):
            for headers in ({}, HTMX) if role not in ADMINS else ({},):
                answer = client.generic(method, address, headers=headers)
                if role not in ADMINS:
                    assert answer.status_code in (302, 401, 403, 404), (method, address)
                elif method == "POST" and CHANGES.search(address):
                    assert answer.status_code == 403, (method, address)
                page = answer.content.decode()
                assert "Traceback" not in page
                assert settings.GOODY_API_KEY not in page
    assert (Operation.objects.get(), AuditEntry.objects.count()) == before
    if role in ADMINS:
        assert client.get("/django-admin/orders/auditentry/").status_code == 200
        assert client.get("/django-admin/auth/user/").status_code == 200


def test_permission_matrix_has_every_role() -> None:
    assert {str(role) for role in Role} < set(ROLES)
