"""Exports of carriers and shops as CSV, re-made with invented data; README.md says where each was seen."""

from tests.unit.clients.importing.exporting import A, B, Export, event

DPD = Export(
    "dpd-scaninfo",
    (
        "PARCELNO;SCAN_CODE;DEPOT_CODE;SCAN_DATE_TIME;ROUTE;RECEIVER_NAME;INFO_TEXT;LOCATION;CUSTOMER_REFERENCE;\n"
        f"05300000000001;13;0521;20261130192906;0521;J. Peeters;;Mechelen;{A};\n"
        f"05300000000001;03;0521;20261130081500;0521;;;;{A};\n"
        f"05300000000002;04;0521;20261130190341;;;;;{B};\n"
        f"05300000000002;99;0521;20261130190400;;;;;{B};\n"
    ).encode(),
    "CSV, utf-8, separator semicolon",
    """
    zone = "Europe/Brussels"
    source = "dpd"
    [columns]
    tracking_number = "CUSTOMER_REFERENCE"
    status = "SCAN_CODE"
    timestamp = "SCAN_DATE_TIME"
    location_address = "LOCATION"
    signed_by = "RECEIVER_NAME"
    [statuses]
    "05" = "picked_up"
    "02" = "arrived_at_hub"
    "03" = "out_for_delivery"
    "04" = "skip"
    "13" = "delivered"
    """,
    [
        {
            "tracking_number": A,
            "checkpoint": "out_for_delivery",
            "timestamp": "2026-11-30T08:15:00+01:00",
            "source": "dpd",
        },
        event(
            A,
            "delivered",
            "2026-11-30T19:29:06+01:00",
            "dpd",
            signed_by="J. Peeters",
            location={"address": "Mechelen"},
        ),
    ],
    {4: "skipped", 5: "status is not in the statuses of the layout"},
)

LANDMARK = Export(
    "landmark-tracking",
    (
        "Client,Reference,Landmark Tracking Number,Carrier Tracking Number,Carrier,To City,To State,"
        "To Postal Code,Status Code,Status,Time,Location\r\n"
        f'218,{A},LTN1,1Z1,UPS,"St. John\'s",NL,A1A 1A1,500,"Item delivered, front door",'
        '"2026-11-01 01:30:00","St. John\'s, NL"\r\n'
        f"218,{A},LTN1,1Z1,UPS,St. John's,NL,A1A 1A1,200,Item scanned,2026-10-31 14:05:09,Chicago IL\r\n"
        f"218,{B},LTN2,1Z2,UPS,Ottawa,ON,K1A 0B1,50,Shipment Data Uploaded,2026-10-30 09:00:00,\r\n"
    ).encode(),
    "CSV, utf-8, separator comma",
    """
    zone = "America/Chicago"
    source = "landmark"
    [columns]
    tracking_number = "Reference"
    status = "Status Code"
    timestamp = "Time"
    location_address = "Location"
    notes = "Status"
    [statuses]
    "50" = "skip"
    "200" = "in_transit"
    "500" = "delivered"
    """,
    [
        event(
            A,
            "in_transit",
            "2026-10-31T14:05:09-05:00",
            "landmark",
            location={"address": "Chicago IL"},
            notes="Item scanned",
        )
    ],
    {
        2: "timestamp exists twice in this zone, for clocks were put back: write it with its offset",
        4: "skipped",
    },
)

METAPACK = Export(
    "metapack-tracking",
    (
        "\ufeffParcelStatusName,ParcelStatusID,StatusText,CarrierStatusCode,DepotAchievingStatus,ParcelCode,"
        "AchievedDateTime,ProcessedDateTIme,OrderReference\n"
        f"Out for Delivery,14,Out for Delivery,OFD,Leeds,P1,2026-11-30 07:02:11,30/11/2026 07:10:00,{A}\n"
        f"Delivered,20,,DEL,Leeds,P1,2026-11-30 11:20:00,30/11/2026 11:25:00,{A}\n"
    ).encode(),
    "CSV, utf-8 with byte order mark, separator comma",
    """
    zone = "Europe/London"
    source = "metapack"
    [columns]
    tracking_number = "OrderReference"
    status = "ParcelStatusName"
    timestamp = "AchievedDateTime"
    location_address = "DepotAchievingStatus"
    [statuses]
    "Out for Delivery" = "out_for_delivery"
    """,
    [
        {
            "tracking_number": A,
            "checkpoint": "out_for_delivery",
            "timestamp": "2026-11-30T07:02:11+00:00",
            "source": "metapack",
            "location": {"address": "Leeds"},
        },
        event(A, "delivered", "2026-11-30T11:20:00+00:00", "metapack", location={"address": "Leeds"}),
    ],
)

PARCELLAB = Export(
    "parcellab-trackings",
    (
        "client,courier,service_level,tracking_number,order_number,city,created_date,created_time,"
        "pickup_scheduled_date,pickup_scheduled_time\n"
        f"shop,dhl-germany,paket,{A},4711,Köln,2026-11-28,10:00:00,2026-11-29,17:45:30\n"
        f"shop,dhl-germany,paket,{B},4712,Bonn,2026-11-28,10:00:00,,\n"
    ).encode(),
    "CSV, utf-8, separator comma",
    """
    zone = "Europe/Berlin"
    [columns]
    timestamp = ["pickup_scheduled_date", "pickup_scheduled_time"]
    source = "courier"
    [constants]
    status = "picked_up"
    """,
    [event(A, "picked_up", "2026-11-29T17:45:30+01:00", "dhl-germany")],
    {3: "timestamp is empty"},
)

AMAZON = Export(
    "amazon-fulfilled-shipments",
    (
        "amazon-order-id\tshipment-id\tshipment-date\tproduct-name\tcarrier\ttracking-number\n"
        f'111-1234567-1234567\tDkr1\t2026-11-30T08:15:00+00:00\tCable 5" black\tAMZN_US\t{A}\n'
        f"111-1234567-1234568\tDkr2\t2026-11-30T09:00:01-07:00\tCafé\tUPS\t{B}\n"
    ).encode("cp1252"),
    "CSV, cp1252, separator tab",
    """
    [columns]
    timestamp = "shipment-date"
    source = "carrier"
    [constants]
    status = "picked_up"
    """,
    [
        event(A, "picked_up", "2026-11-30T08:15:00+00:00", "AMZN_US"),
        event(B, "picked_up", "2026-11-30T09:00:01-07:00", "UPS"),
    ],
)

SHOP = Export(
    "35up-shipments",
    (
        "shipment_id,order_id,item_id,item_sku,shipped_qty,shipped_at,shipping_provider,tracking_code\n"
        f"s-1,o-1,i-1,SKU-1,1,1796040000,gls,{A}\n"
        f"s-2,o-2,i-2,SKU-2,1,1796040060000,gls,{B}\n"
    ).encode(),
    "CSV, utf-8, separator comma",
    """
    dates = "unix"
    [columns]
    tracking_number = "tracking_code"
    timestamp = "shipped_at"
    source = "shipping_provider"
    [constants]
    status = "picked_up"
    """,
    [
        event(A, "picked_up", "2026-11-30T12:00:00+00:00", "gls"),
        event(B, "picked_up", "2026-11-30T12:01:00+00:00", "gls"),
    ],
)
