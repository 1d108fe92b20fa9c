"""Contents of the demo's parcels."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Good:
    """A kind of content.

    Attributes:
        weight_kg: lightest and heaviest parcel.
        size_cm: length, width and height of the lightest.
        home: code of the city it is known for, the only one that sends it; None if any does.
    """

    description: str
    weight_kg: tuple[float, float]
    size_cm: tuple[int, int, int]
    home: str | None = None


GOODS: Final = (
    Good("Refacciones automotrices", (2.0, 24.0), (40, 30, 25)),
    Good("Libros de texto", (1.0, 12.0), (32, 24, 12)),
    Good("Equipo de cómputo portátil", (1.5, 4.0), (42, 32, 12)),
    Good("Ropa de temporada", (0.5, 6.0), (38, 28, 10)),
    Good("Medicamentos sin refrigeración", (0.2, 3.0), (22, 16, 10)),
    Good("Cosméticos y perfumería", (0.3, 4.0), (24, 18, 12)),
    Good("Herramienta eléctrica", (2.5, 15.0), (45, 30, 20)),
    Good("Juguetes didácticos", (0.6, 5.0), (35, 30, 20)),
    Good("Documentos notariales", (0.1, 0.8), (33, 24, 3)),
    Good("Teléfonos celulares", (0.3, 2.5), (20, 15, 10)),
    Good("Utensilios de cocina", (1.0, 9.0), (36, 30, 22)),
    Good("Material de papelería", (0.8, 10.0), (34, 26, 16)),
    Good("Instrumental dental", (0.4, 3.5), (28, 20, 10)),
    Good("Alimento para mascotas", (3.0, 20.0), (50, 35, 15)),
    Good("Calzado de piel", (0.9, 7.0), (36, 24, 14), "leo"),
    Good("Talavera, frágil", (1.5, 10.0), (30, 30, 25), "pue"),
    Good("Mezcal artesanal, frágil", (1.4, 14.0), (34, 26, 34), "oax"),
    Good("Café de Chiapas en grano", (0.5, 12.0), (30, 20, 12), "tgz"),
    Good("Guayaberas de lino", (0.4, 4.0), (36, 28, 8), "mid"),
    Good("Tequila, frágil", (1.4, 14.0), (34, 26, 34), "gdl"),
    Good("Cacao y chocolate de mesa", (0.5, 8.0), (28, 20, 14), "vsa"),
    Good("Sarapes de Saltillo", (0.8, 5.0), (40, 30, 12), "slw"),
    Good("Artesanía de cobre", (0.7, 9.0), (30, 28, 24), "mlm"),
    Good("Componentes electrónicos", (0.2, 6.0), (26, 20, 12), "tij"),
)
