"""The occasions on which the company of the demo sends gifts, with their gifts and messages."""

from dataclasses import dataclass

from emulator.order_columns import COMMERCE, DIRECT

# (brand, product, price in US cents)
Gift = tuple[str, str, int]
TEA: Gift = ("Leaf Lane", "Tea box", 3200)
COFFEE: Gift = ("Brass Kettle Coffee", "Single origin trio", 4200)
GROWLER: Gift = ("Brass Kettle Coffee", "Cold brew growler", 3900)
COOKIES: Gift = ("Crumb & Co.", "A dozen cookies", 3600)
BROWNIES: Gift = ("Crumb & Co.", "Brownie box", 4900)
CAKE: Gift = ("Crumb & Co.", "Birthday cake in a jar", 3400)
CHOCOLATE: Gift = ("Midnight Cacao", "Truffle assortment", 4500)
FRUIT: Gift = ("Tiny Orchard", "Fruit box", 5200)
JAM: Gift = ("Tiny Orchard", "Jam flight", 2900)
RAMEN: Gift = ("Noodle Atelier", "Ramen kit", 4400)
CANDLE: Gift = ("Söta Hälsa", "Lavender candle", 2800)
SPA: Gift = ("Söta Hälsa", "Spa evening for two", 9900)
PLANT: Gift = ("Verdant", "Desk plant", 3800)
BONSAI: Gift = ("Verdant", "Juniper bonsai", 8900)
THROW: Gift = ("Plume", "Merino throw", 14900)
MUG: Gift = ("Kiln & Co.", "Stoneware mug set", 5600)
BOTTLE: Gift = ("Trailhead", "Insulated bottle", 3500)
BACKPACK: Gift = ("Trailhead", "Commuter backpack", 12800)
NOTEBOOK: Gift = ("Pocket Press", "Dotted notebook", 2400)
PEN: Gift = ("Pocket Press", "Fountain pen", 7600)
HEADPHONES: Gift = ("Quietly", "Travel headphones", 17900)
LAMP: Gift = ("Quietly", "Desk lamp", 6800)
CHOICE_50: Gift = ("Goody Gift of Choice", "$50 gift of choice", 5000)
CHOICE_100: Gift = ("Goody Gift of Choice", "$100 gift of choice", 10000)
CHOICE_250: Gift = ("Goody Gift of Choice", "$250 gift of choice", 25000)


@dataclass(frozen=True, slots=True)
class Occasion:
    """The occasion of a batch, such as a birthday, and the values of its batches.

    `workspace` is an index of demo_texts.WORKSPACES, `weight` the relative frequency of the
    occasion, `largest` the maximal number of recipients, `days` the time until the batch expires.
    """

    workspace: int
    weight: int
    largest: int
    days: int
    gifts: tuple[Gift, ...]
    messages: tuple[str, ...]
    is_internal: bool = False
    flags: int = 0


OCCASIONS = (
    Occasion(
        workspace=0,
        weight=14,
        largest=6,
        days=30,
        gifts=(BACKPACK, BOTTLE, MUG, PLANT, LAMP),
        messages=(
            "Welcome to Larkfield! We are so happy that you are here.",
            "Welcome to the team! Here is a little something for your first week.",
        ),
        is_internal=True,
    ),
    Occasion(
        workspace=0,
        weight=20,
        largest=2,
        days=30,
        gifts=(CAKE, CHOICE_50, CHOCOLATE, CANDLE, COOKIES),
        messages=("Happy birthday from all of us!", "Happy birthday! Have some cake on us. 🎂"),
        is_internal=True,
    ),
    Occasion(
        workspace=0,
        weight=8,
        largest=3,
        days=60,
        gifts=(CHOICE_100, CHOICE_250, HEADPHONES, THROW, PEN),
        messages=(
            "Happy work anniversary, and thank you for everything you do for the team.",
            "Five years! Thank you for every one of them.",
        ),
        is_internal=True,
    ),
    Occasion(
        workspace=0,
        weight=2,
        largest=140,
        days=45,
        gifts=(CHOICE_50, CHOICE_100, FRUIT),
        messages=(
            "What a quarter! Thank you for all the work that you put into it.\n\n"
            "Enjoy a gift of your choice,\nthe People team",
        ),
        is_internal=True,
    ),
    Occasion(
        workspace=1,
        weight=12,
        largest=8,
        days=14,
        gifts=(COFFEE, COOKIES, TEA, NOTEBOOK, GROWLER),
        messages=(
            "Coffee is on me. Looking forward to our call on Thursday!",
            "Thank you for taking the time to see the demo. I hope it was useful.",
        ),
    ),
    Occasion(
        workspace=1,
        weight=8,
        largest=3,
        days=45,
        gifts=(CHOICE_100, THROW, PEN, CHOCOLATE),
        messages=(
            "Welcome aboard! We cannot wait to get started with your team.",
            "It is signed! Thank you for your trust in us.",
        ),
    ),
    Occasion(
        workspace=2,
        weight=14,
        largest=10,
        days=60,
        gifts=(FRUIT, CHOCOLATE, SPA, MUG, CHOICE_100),
        messages=(
            "Thank you for renewing with us. Here is to another good year.",
            "Three years together! Thank you for being such a great customer.",
        ),
    ),
    Occasion(
        workspace=2,
        weight=6,
        largest=4,
        days=90,
        gifts=(CHOICE_50, BROWNIES, CANDLE),
        messages=(
            "We are sorry about last week's outage. Thank you for your patience with us.",
            "Thank you for reporting this so clearly. It is fixed, and you made it happen.",
        ),
    ),
    Occasion(
        workspace=3,
        weight=4,
        largest=70,
        days=30,
        gifts=(NOTEBOOK, BOTTLE, JAM, RAMEN, TEA),
        messages=(
            "It was great to meet you at our booth. Here is the small gift we promised.",
            "Thank you for coming to our user conference. See you next year in Lisbon!",
        ),
    ),
    Occasion(
        workspace=3,
        weight=6,
        largest=12,
        days=30,
        gifts=(CHOICE_50, PLANT, BONSAI, COFFEE),
        messages=(
            "Thank you for speaking at our webinar. The audience loved it.",
            "Your review helps us a lot. Thank you for writing it!",
        ),
    ),
    Occasion(
        workspace=4,
        weight=10,
        largest=8,
        days=45,
        gifts=(HEADPHONES, BACKPACK, BOTTLE, MUG),
        messages=("Thank you for the referral! Please choose your reward.",),
        flags=COMMERCE,
    ),
    Occasion(
        workspace=4,
        weight=3,
        largest=6,
        days=30,
        gifts=(FRUIT, BROWNIES, MUG),
        messages=("A small thank-you for a great year of working together.",),
        flags=DIRECT,
    ),
)
