"""The examples of the requirement's README, quoted: requests, with the fields and values of responses."""

import json
from typing import Any, Final

NUMBER: Final = "99M-ABC123XYZ"
OTHER_NUMBER: Final = "99M-DEF456UVW"

LOGIN: Final = """{
    "username": "admin_user",
    "password": "password123"
  }"""
LOGGED_IN: Final = """{
  "token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...",
  "expires_in": 86400,
  "token_type": "Bearer"
}"""
CREATE: Final = """{
  "origin_address": "Calle 5 #123, Mexico City",
  "origin_lat": 19.4326,
  "origin_lng": -99.1332,
  "destination_address": "Avenida Paseo #456, Puebla",
  "destination_lat": 19.0327,
  "destination_lng": -98.2064,
  "weight_kg": 5.5,
  "length_cm": 30,
  "width_cm": 20,
  "height_cm": 15,
  "content_description": "Electronics",
  "client_id": "client_001"
}"""
CREATED: Final = """{
  "tracking_number": "99M-ABC123XYZ",
  "status": "created",
  "created_at": "2025-02-12T10:00:00Z",
  "client_id": "client_001"
}"""
DETAILS: Final = """{
  "tracking_number": "99M-ABC123XYZ",
  "client_id": "client_001",
  "current_status": "in_transit",
  "origin": {
    "address": "Calle 5 #123, Mexico City",
    "coordinates": { "lat": 19.4326, "lng": -99.1332 }
  },
  "destination": {
    "address": "Avenida Paseo #456, Puebla",
    "coordinates": { "lat": 19.0327, "lng": -98.2064 }
  },
  "package": {
    "weight_kg": 5.5,
    "dimensions": { "length": 30, "width": 20, "height": 15 },
    "content_description": "Electronics"
  },
  "created_at": "2025-02-12T10:00:00Z",
  "updated_at": "2025-02-12T15:04:05Z",
  "status_history": [
    {
      "status": "created",
      "timestamp": "2025-02-12T10:00:00Z",
      "source": "api",
      "location": null
    },
    {
      "status": "picked_up",
      "timestamp": "2025-02-12T10:15:00Z",
      "source": "driver_app",
      "location": { "lat": 19.4327, "lng": -99.1331 }
    },
    {
      "status": "in_warehouse",
      "timestamp": "2025-02-12T12:30:00Z",
      "source": "warehouse_scanner",
      "location": null
    },
    {
      "status": "in_transit",
      "timestamp": "2025-02-12T15:04:05Z",
      "source": "driver_app",
      "location": { "lat": 19.4326, "lng": -99.1332 }
    }
  ]
}"""
LIST_PATH: Final = "/shipments?status=in_transit&limit=10&offset=0"
LISTED: Final = """{
  "data": [
    {
      "tracking_number": "99M-ABC123XYZ",
      "client_id": "client_001",
      "current_status": "in_transit",
      "created_at": "2025-02-12T10:00:00Z",
      "updated_at": "2025-02-12T15:04:05Z"
    }
  ],
  "pagination": {
    "total": 45,
    "limit": 10,
    "offset": 0,
    "has_next": true
  }
}"""
EVENT: Final = """{
  "tracking_number": "99M-ABC123XYZ",
  "status": "in_transit",
  "timestamp": "2025-02-12T15:04:05Z",
  "source": "driver_app",
  "location": {
    "lat": 19.4326,
    "lng": -99.1332
  }
}"""
QUEUED: Final = """{
  "event_id": "evt_xyz123abc",
  "status": "queued",
  "tracking_number": "99M-ABC123XYZ",
  "message": "Event accepted for processing"
}"""
BATCH: Final = """{
  "events": [
    {
      "tracking_number": "99M-ABC123XYZ",
      "status": "in_transit",
      "timestamp": "2025-02-12T15:04:05Z",
      "source": "driver_app",
      "location": { "lat": 19.4326, "lng": -99.1332 }
    },
    {
      "tracking_number": "99M-DEF456UVW",
      "status": "picked_up",
      "timestamp": "2025-02-12T15:05:00Z",
      "source": "driver_app",
      "location": { "lat": 19.4327, "lng": -99.1331 }
    }
  ]
}"""
BATCH_QUEUED: Final = """{
  "received": 2,
  "queued": 2,
  "message": "All events accepted for processing"
}"""
HEALTH: Final = """{
  "status": "ok",
  "timestamp": "2025-02-12T15:10:00Z",
  "checks": {
    "database": "ok",
    "cache": "ok",
    "event_queue": "ok"
  }
}"""
ERROR: Final = """{
  "error": "INVALID_TRANSITION",
  "message": "Cannot transition from 'in_transit' to 'picked_up'",
  "status_code": 400,
  "timestamp": "2025-02-12T15:10:00Z"
}"""


def read(example: str, *numbers: str) -> Any:  # noqa: ANN401  # JSON
    """Return an example with shipments of ours in place of those that it names."""
    for named, ours in zip((NUMBER, OTHER_NUMBER), numbers, strict=False):
        example = example.replace(named, ours)
    return json.loads(example)
