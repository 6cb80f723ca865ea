"""The data sets that can be generated, by the name for the option ``--data``."""

from dataclasses import dataclass

from emulator.demo_data import DemoGenerator, DemoRenderer
from emulator.generator import OrderGenerator
from emulator.renderer import OrderRenderer


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set: the classes that generate its orders and render them as JSON."""

    generator: type[OrderGenerator]
    renderer: type[OrderRenderer]


RANDOM = "random"
DEMO = "demo"
DATA_SETS = {
    RANDOM: DataSet(OrderGenerator, OrderRenderer),
    DEMO: DataSet(DemoGenerator, DemoRenderer),
}
