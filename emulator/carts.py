"""Carts, chosen variants and costs (US cents). Goody API: Cart, CartSelection, Amounts."""

from collections.abc import Sequence
from dataclasses import dataclass

from emulator import sample_texts
from emulator.digest_random import DigestRandom, derive_uuid
from emulator.messages import Json


@dataclass(frozen=True, slots=True)
class CartLine:
    """A product of a cart; `price` is that of one unit in US cents."""

    brand: str
    name: str
    price: int
    quantity: int


def render_cart(key: str, draws: DigestRandom, *, seed: int) -> tuple[Json, Json]:
    """Return (cart, amounts before tax). `key` identifies the cart among those of a seed."""
    count = 1 + (draws.randbelow(4) == 0) + (draws.randbelow(9) == 0)
    return render_cart_lines(key, [_draw_line(draws) for _ in range(count)], draws, seed=seed)


def render_cart_lines(
    key: str, lines: Sequence[CartLine], draws: DigestRandom, *, seed: int
) -> tuple[Json, Json]:
    """Return (cart, amounts before tax) of these products. `key` is as in render_cart()."""
    items = [_item(derive_uuid(seed, "item", f"{key}:{n}"), line) for n, line in enumerate(lines)]
    price = sum(line.price * line.quantity for line in lines)
    return {"id": derive_uuid(seed, "cart", key), "items": items}, _amounts(price, draws)


def _draw_line(draws: DigestRandom) -> CartLine:
    brand, products = sample_texts.BRANDS[draws.randbelow(len(sample_texts.BRANDS))]
    name, price = products[draws.randbelow(len(products))]
    return CartLine(brand, name, price, quantity=1 + (draws.randbelow(6) == 0))


def _item(item_id: str, line: CartLine) -> Json:
    return {
        "id": item_id,
        "quantity": line.quantity,
        "product": {
            "id": derive_uuid("product", line.name),
            "name": line.name,
            "brand": {"id": derive_uuid("brand", line.brand), "name": line.brand},
        },
    }


def _amounts(product: int, draws: DigestRandom) -> Json:
    shipping = (0, 600, 950, 1200)[draws.randbelow(4)]
    fee = None if draws.randbelow(20) == 0 else product // 20
    amounts = {
        "amount_product": product,
        "amount_shipping": shipping,
        "amount_processing_fee": fee,
        "amount_pre_tax_total": product + shipping + (fee or 0),
        "amount_tax": None,
        "amount_total": None,
        "amount_global_relay_cost": None,
    }
    if draws.randbelow(15) == 0:
        amounts["amount_credit_applied"] = min(product, 1000)
    return amounts


def add_tax(amounts: Json, draws: DigestRandom) -> Json:
    """Return the amounts with tax, total and international shipping, known on acceptance."""
    relay = 1850 if draws.randbelow(25) == 0 else None
    tax = amounts["amount_product"] * (0, 6, 7, 8, 9)[draws.randbelow(5)] // 100
    return {
        **amounts,
        "amount_tax": tax,
        "amount_total": amounts["amount_pre_tax_total"] + tax + (relay or 0),
        "amount_global_relay_cost": relay,
    }


def render_original_amounts(amounts: Json) -> Json:
    """Return the amounts before the swap. Goody API: OriginalAmounts, whose names have a prefix."""
    return {
        "original_amount_product": amounts["amount_product"],
        "original_amount_shipping": amounts["amount_shipping"],
        "original_amount_credit_applied": amounts.get("amount_credit_applied"),
        "original_amount_pre_tax_total": amounts["amount_pre_tax_total"],
    }


def render_cart_selections(
    cart: Json, index: int, draws: DigestRandom, *, variants: Sequence[tuple[str, ...]]
) -> list[Json]:
    """Return the chosen variants of a cart.

    Some refer to no item of the cart, as in two of Goody's three examples.
    """
    is_foreign = draws.randbelow(3) == 0
    selections = []
    for item in cart["items"]:
        for unit in range(item["quantity"]):
            key = f"{index}:{item['id']}:{unit}"
            selections.append(
                {
                    "id": derive_uuid("selection", key),
                    "cart_item_id": derive_uuid("stray", key) if is_foreign else item["id"],
                    "quantity_index": unit,
                    "variants": list(variants[draws.randbelow(len(variants))]),
                }
            )
    return selections
