"""The kinds of generated data, by the name that ``--data`` takes."""

from dataclasses import dataclass

from emulator.demo_data import DemoGenerator, DemoRenderer
from emulator.generator import OrderGenerator
from emulator.renderer import OrderRenderer


@dataclass(frozen=True, slots=True)
class DataSet:
    """The classes that generate the orders and render them."""

    generator: type[OrderGenerator]
    renderer: type[OrderRenderer]


RANDOM = "random"
DEMO = "demo"
DATA_SETS = {
    RANDOM: DataSet(OrderGenerator, OrderRenderer),
    DEMO: DataSet(DemoGenerator, DemoRenderer),
}
