"""Cities of the demo's parcels: Mexican cities, their centres and streets that exist there."""

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Final

_EARTH_DIAMETER_KM = 12_742.0


@dataclass(frozen=True, slots=True)
class City:
    """A city with a hub.

    Attributes:
        code: as it stands in the names of warehouses and scanners, `warehouse-gdl-01`.
        share: how much of the traffic it has, relative to the others.
        streets: pairs of street and neighbourhood.
    """

    code: str
    name: str
    state: str
    lat: float
    lng: float
    share: int
    streets: tuple[tuple[str, str], ...]


def distance_km(one: City, other: City) -> float:
    """Return the great-circle distance between two cities."""
    lat_1, lat_2 = radians(one.lat), radians(other.lat)
    half_lat, half_lng = (lat_2 - lat_1) / 2, radians(other.lng - one.lng) / 2
    haversine = sin(half_lat) ** 2 + cos(lat_1) * cos(lat_2) * sin(half_lng) ** 2
    return _EARTH_DIAMETER_KM * asin(sqrt(haversine))


def _city(head: str, lat: float, lng: float, share: int, *streets: str) -> City:
    code, name, state = head.split("|")
    pairs = tuple((street, quarter) for street, _, quarter in (text.partition("|") for text in streets))
    return City(code, name, state, lat, lng, share, pairs)


# fmt: off
CITIES: Final = (
    _city("mex|Ciudad de México|CDMX", 19.4326, -99.1332, 24,
          "Av. Insurgentes Sur|Del Valle", "Paseo de la Reforma|Juárez", "Calz. de Tlalpan|Portales"),
    _city("gdl|Guadalajara|Jal.", 20.6767, -103.3475, 14,
          "Av. Vallarta|Americana", "Av. Chapultepec|Lafayette", "Calz. Independencia|Centro"),
    _city("mty|Monterrey|N.L.", 25.6714, -100.3089, 14,
          "Av. Constitución|Centro", "Av. Garza Sada|Tecnológico", "Av. Gonzalitos|Mitras Centro"),
    _city("pue|Puebla|Pue.", 19.0433, -98.1982, 8,
          "Av. Juárez|La Paz", "Blvd. 5 de Mayo|Centro", "Av. 31 Poniente|El Carmen"),
    _city("tij|Tijuana|B.C.", 32.5149, -117.0382, 6,
          "Av. Revolución|Zona Centro", "Blvd. Agua Caliente|Cacho", "Paseo de los Héroes|Zona Río"),
    _city("leo|León|Gto.", 21.1221, -101.6827, 6,
          "Blvd. Adolfo López Mateos|Centro", "Blvd. Campestre|Jardines del Moral",
          "Av. Miguel Alemán|Centro"),
    _city("mid|Mérida|Yuc.", 20.9674, -89.6237, 5,
          "Paseo de Montejo|Centro", "Calle 60|Centro", "Av. Itzaes|García Ginerés"),
    _city("qro|Querétaro|Qro.", 20.5881, -100.3881, 6,
          "Av. Constituyentes|Centro", "Av. 5 de Febrero|Niños Héroes", "Blvd. Bernardo Quintana|Carretas"),
    _city("slp|San Luis Potosí|S.L.P.", 22.1498, -100.9792, 4,
          "Av. Venustiano Carranza|Centro", "Av. Himno Nacional|Tequisquiapan",
          "Calz. de Guadalupe|San Sebastián"),
    _city("agu|Aguascalientes|Ags.", 21.8818, -102.2916, 4,
          "Av. López Mateos|Centro", "Av. Universidad|Bosques del Prado",
          "Av. Convención de 1914|San Marcos"),
    _city("cun|Cancún|Q.R.", 21.1619, -86.8515, 4,
          "Av. Tulum|Supermanzana 5", "Av. Bonampak|Supermanzana 4", "Av. Kabah|Supermanzana 31"),
    _city("ver|Veracruz|Ver.", 19.1738, -96.1342, 4,
          "Blvd. Ruiz Cortines|Costa de Oro", "Av. Salvador Díaz Mirón|Centro", "Av. Independencia|Centro"),
    _city("oax|Oaxaca de Juárez|Oax.", 17.0654, -96.7237, 3,
          "Calz. Porfirio Díaz|Reforma", "Av. Independencia|Centro", "Calz. Niños Héroes|Jalatlaco"),
    _city("tgz|Tuxtla Gutiérrez|Chis.", 16.7528, -93.1152, 3,
          "Blvd. Belisario Domínguez|Terán", "Av. Central Poniente|Centro", "Libramiento Norte|La Salle"),
    _city("vsa|Villahermosa|Tab.", 17.9869, -92.9303, 3,
          "Av. Paseo Tabasco|Tabasco 2000", "Av. Gregorio Méndez|Centro", "Paseo Usumacinta|Galaxia"),
    _city("cul|Culiacán|Sin.", 24.8049, -107.3940, 3,
          "Blvd. Francisco I. Madero|Centro", "Av. Álvaro Obregón|Guadalupe",
          "Blvd. Pedro Infante|Tres Ríos"),
    _city("hmo|Hermosillo|Son.", 29.0892, -110.9613, 3,
          "Blvd. Luis Encinas|Centro", "Blvd. Kino|Pitic", "Blvd. Solidaridad|Las Quintas"),
    _city("cjs|Ciudad Juárez|Chih.", 31.6904, -106.4245, 4,
          "Av. 16 de Septiembre|Centro", "Av. de las Américas|Margaritas",
          "Av. Tecnológico|Partido Iglesias"),
    _city("cuu|Chihuahua|Chih.", 28.6320, -106.0691, 3,
          "Av. Universidad|San Felipe", "Av. Tecnológico|Santo Niño", "Paseo Bolívar|Centro"),
    _city("trc|Torreón|Coah.", 25.5428, -103.4068, 3,
          "Blvd. Independencia|San Isidro", "Av. Juárez|Centro", "Av. Morelos|Centro"),
    _city("slw|Saltillo|Coah.", 25.4232, -101.0053, 3,
          "Blvd. Venustiano Carranza|República", "Calle Hidalgo|Centro", "Blvd. Nazario Ortiz|Valle Real"),
    _city("dgo|Durango|Dgo.", 24.0277, -104.6532, 2,
          "Av. 20 de Noviembre|Centro", "Blvd. Felipe Pescador|Esperanza", "Blvd. Durango|Jalisco"),
    _city("mlm|Morelia|Mich.", 19.7008, -101.1844, 3,
          "Av. Madero Poniente|Centro", "Av. Camelinas|Félix Ireta",
          "Calz. Ventura Puente|Chapultepec Norte"),
    _city("tlc|Toluca|Méx.", 19.2826, -99.6557, 4,
          "Paseo Tollocan|Universidad", "Av. Hidalgo|Centro", "Av. Morelos|San Bernardino"),
    _city("aca|Acapulco|Gro.", 16.8634, -99.8901, 2,
          "Costera Miguel Alemán|Magallanes", "Av. Cuauhtémoc|Progreso", "Av. Ruiz Cortines|Alta Progreso"),
)
# fmt: on
