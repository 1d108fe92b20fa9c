"""What a newcomer reads once everything is up."""

from pathlib import Path

_SERVICES = """
Waybill is up: {url}

  docs      {url}/docs
  logins    admin_user, client_user_001, client_user_002, driver_user_001   (password: password123)
  logs      {logs}
  try       curl -s {url}/auth/login -H 'Content-Type: application/json' \\
                 -d '{{"username":"admin_user","password":"password123"}}'

Ctrl-C stops everything."""

_STORES = """
The stores are up: MongoDB {mongo_uri}   Redis {redis_addr}   Kafka {kafka_brokers}

  logs      {logs}

Ctrl-C stops everything."""


def services_banner(*, gateway_port: int, logs: Path) -> str:
    """Return the banner of a whole stack."""
    return _SERVICES.format(url=f"http://localhost:{gateway_port}", logs=logs)


def stores_banner(*, mongo_uri: str, redis_addr: str, kafka_brokers: str, logs: Path) -> str:
    """Return the banner of a stack without services."""
    return _STORES.format(mongo_uri=mongo_uri, redis_addr=redis_addr, kafka_brokers=kafka_brokers, logs=logs)
