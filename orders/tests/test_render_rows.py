"""The tag `render_rows` renders exactly what Django's `include` would render."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from orders.presenters.elements import LabeledValue
from orders.presenters.money import Amount
from orders.presenters.order_head import OrderAttribute
from orders.presenters.order_steps import OrderStep
from orders.presenters.rows import OrderRow
from orders.templatetags.render_rows import render_rows

PARTIALS = {
    "orders/list.html#row": OrderRow,
    "orders/detail.html#attribute": OrderAttribute,
    "orders/detail.html#line": LabeledValue,
    "orders/detail.html#amount": Amount,
    "orders/detail.html#step": OrderStep,
}
TEXTS = ("", "", "Ana", "<b>&\"'", "100 %", "%s", "%(id)s", "{{ row.id }}", "\\1", "é\ue000")
NULS = ("", "\x00", "\x001\x00", "<i>")


@pytest.mark.parametrize("partial", PARTIALS)
@pytest.mark.parametrize("texts", [TEXTS, NULS])
@given(data=st.data())
def test_rows_equal_those_of_include(data, partial, texts):
    kind = PARTIALS[partial]
    cells = st.tuples(*[st.sampled_from(texts)] * len(kind._fields))
    rows = [kind(*row) for row in data.draw(st.lists(cells, max_size=5))]
    name = partial.partition("#")[2]
    assert render_rows(partial, rows) == "".join(
        render_to_string(partial, {name: row}) for row in rows
    )
