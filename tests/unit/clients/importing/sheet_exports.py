"""Exports with other encodings and separators, and XLSX, re-made with invented data; see README.md."""

from tests.unit.clients.importing.exporting import DEPOT, A, B, C, Export, at, event, xlsx

DISPATCH = Export(
    "despacho-hermosillo",
    xlsx(
        "Despacho",
        ["🚚 Salida a Ruta"],
        ["Ruta: Norte -> Centro"],
        ["Conductores: S. Peña"],
        [],
        ["[#]", "No. Guia", "Nombre", "Dirección", "Cobro", "Fecha", "Hora"],
        [1, A, "María Núñez", "Calle 7, Hermosillo", 199.5, at(2026, 11, 30), at(2026, 11, 30, 8, 5).time()],
        [2, B, "Café Ñandú", "Calle 9", None, at(2026, 11, 30), None],
    ),
    "XLSX, sheet Despacho",
    """
    zone = "America/Hermosillo"
    source = "ruta-norte"
    [columns]
    tracking_number = "No. Guia"
    timestamp = ["Fecha", "Hora"]
    notes = "Dirección"
    [constants]
    status = "in_transit"
    """,
    [event(A, "in_transit", "2026-11-30T08:05:00-07:00", "ruta-norte", notes="Calle 7, Hermosillo")],
    {7: "timestamp is no date with a time, such as 2026-11-30 14:05"},
)

FLEET = Export(
    "fleet-delivery-events",
    (
        "event_id,load_id,trip_id,event_type,facility_id,scheduled_datetime,actual_datetime,location_city\n"
        f"EVT1,{A},TRIP1,Pickup,FAC1,2026-03-08 02:00:00,2026-03-08 02:30:00,Dallas\n"
        f"EVT2,{A},TRIP1,Delivery,FAC2,2026-03-09 11:00:00,2026-03-09 10:41:00,Tulsa\n"
    ).encode(),
    "CSV, utf-8, separator comma",
    """
    zone = "America/Chicago"
    source = "fleet"
    [columns]
    tracking_number = "load_id"
    status = "event_type"
    timestamp = "actual_datetime"
    location_address = "location_city"
    [statuses]
    pickup = "picked_up"
    delivery = "delivered"
    """,
    [event(A, "delivered", "2026-03-09T10:41:00-05:00", "fleet", location={"address": "Tulsa"})],
    {2: "timestamp does not exist in this zone: clocks were put forward then"},
)

COURIER = Export(
    "courier-status-sheet",
    xlsx(
        "Sheet1",
        ["SR", "AWBNO.", "STATUS", "tracking number", "Status date"],
        [1, 794612345678, "DELIVERED", A, at(2026, 11, 30, 14, 5, 7)],
        [2, 794612345679, "IN TRANSIT", B, at(2026, 11, 30)],
        [3, 794612345680, "In transit", C, 46356.586805555555],
    ),
    "XLSX, sheet Sheet1",
    """
    zone = "Asia/Kolkata"
    source = "courier"
    [columns]
    timestamp = "Status date"
    """,
    [
        event(B, "in_transit", "2026-11-30T00:00:00+05:30", "courier"),
        event(C, "in_transit", "2026-11-30T14:05:00+05:30", "courier"),
        event(A, "delivered", "2026-11-30T14:05:07+05:30", "courier"),
    ],
)

EXCEL_MX = Export(
    "excel-es-mx",
    (
        "sep=;\r\nTracking number;Status;Timestamp;location.lat;location.lng;Teléfono;Notes\r\n"
        f'{A};picked_up;30/11/26 02:05:00 p. m.;19,43;-99,13;+52 55 1234;"Dos bultos;\nfrágil"\r\n'
        f"{B};picked_up;1/12/2026 12:00 a. m.;norte;-99,13;;=2+3\r\n"
    ).encode("utf-16"),
    "CSV, utf-16-le with byte order mark, separator semicolon",
    'zone = "America/Mexico_City"\ndates = "dmy"\nsource = "almacen-1"',
    [
        event(
            A,
            "picked_up",
            "2026-11-30T14:05:00-06:00",
            "almacen-1",
            location={"lat": 19.43, "lng": -99.13},
            notes="Dos bultos;\nfrágil",
        )
    ],
    {3: "location_lat is no number"},
)

ROUTE_PLANNER = Export(
    "route-planner-stops",
    xlsx(
        "Paradas",
        ["Referencia", "Cliente", "Dirección", "Ciudad", "Latitud", "Longitud", "Peso kg"],
        ["BL-1", "Ñandú", "Calle 7", "Puebla", 19.04, -98.2, 2.5],
        ["BL-2", "Sol", "Calle 9", "Oaxaca", "17,07", "-96,72", "1.250,5"],
        [None, "Mar", "Calle 1", "Cholula", 19.06, -98.3, 1],
    ),
    "XLSX, sheet Paradas",
    """
    [columns]
    reference = "Referencia"
    destination_address = ["Dirección", "Ciudad"]
    destination_lat = "Latitud"
    destination_lng = "Longitud"
    weight_kg = "Peso kg"
    [constants]"""
    + DEPOT,
    [
        {
            "reference": reference,
            "destination_address": address,
            "destination_lat": lat,
            "destination_lng": lng,
            "weight_kg": weight,
            "origin_address": "Av. Vallarta 3959, Guadalajara",
            "origin_lat": 20.6767,
            "origin_lng": -103.431,
        }
        for reference, address, lat, lng, weight in (
            ("BL-1", "Calle 7 Puebla", 19.04, -98.2, 2.5),
            ("BL-2", "Calle 9 Oaxaca", 17.07, -96.72, 1250.5),
        )
    ],
    {4: "reference is empty: by it a repeated import recognises the row"},
)

YAMATO = Export(
    "yamato-b2",
    (
        "お客様管理番号,送り状種別,クール区分,伝票番号,出荷予定日,お届け先名\r\n"
        f"{A},0,0,123456789012,2026/11/30,山田太郎\r\n"
    ).encode("cp932"),
    "CSV, cp932, separator comma",
    """
    zone = "Asia/Tokyo"
    source = "yamato"
    [columns]
    tracking_number = "お客様管理番号"
    timestamp = "出荷予定日"
    [constants]
    status = "picked_up"
    """,
    [],
    {2: "timestamp is no date with a time, such as 2026-11-30 14:05"},
)

DHL = Export(
    "dhl-online-frankierung",
    (
        "SEND_NAME1;SEND_STREET;SEND_PLZ;SEND_CITY;RECV_NAME1;RECV_STREET;RECV_PLZ;RECV_CITY;PRODUCT;COUPON\n"
        "Müller GmbH;Hauptstr.;50667;Köln;Jörg Groß;Königsallee;40212;Düsseldorf;PAECK.DEU;\n"
    ).encode("cp1252"),
    "CSV, cp1252, separator semicolon",
    "",
    refused="no column for tracking_number, timestamp, status, source",
)

WEMALO = Export(
    "wemalo-shipping",
    (
        b"Shipment Ref-No.|sender Ref. no.|product|Rec. Name1|Rec. Postcode|Rec. location|weight\n"
        b"121212|asas|101|Johannes, Neumann|21465|Reinbek|2,5\n"
    ),
    "CSV, utf-8, separator bar",
    """
    kind = "shipments"
    [columns]
    reference = "Shipment Ref-No."
    destination_address = ["Rec. Postcode", "Rec. location"]
    weight_kg = "weight"
    [constants]"""
    + DEPOT,
    refused="no column for destination_lat, destination_lng",
)

EASYPARCEL = Export(
    "easyparcel-bulk",
    xlsx(
        "Bulk",
        [
            "No*",
            "Category",
            "Parcel Content*",
            "Weight (kg)*",
            "Pick Up Date*",
            "Receiver Address*",
            "Reference",
        ],
        [1, "Gadget", "Kabel", 0.5, at(2026, 11, 30), "Jalan 1, Ipoh", "ep-1"],
    ),
    "XLSX, sheet Bulk",
    "",
    refused="no column for origin_address, origin_lat, origin_lng, destination_address",
)
