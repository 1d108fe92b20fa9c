"""Banner shown once everything is up."""

from pathlib import Path

_SERVICES = """
Waybill is up: {url}

  console   {url}/console
  tracking  {url}/track
  docs      {url}/docs
  logins    {logins}
  logs      {logs}
  try       {trial}

Ctrl-C stops everything."""

_STORES = """
The stores are up: MongoDB {mongo_uri}   Redis {redis_addr}   Kafka {kafka_brokers}

  logs      {logs}

Ctrl-C stops everything."""

_SEEDED = "admin_user, client_user_001, client_user_002, driver_user_001   (password: password123)"
_NONE_SEEDED = "none but those that were made here: ENV={environment} seeds no users"
_LOG_IN = """curl -s {url}/auth/login -H 'Content-Type: application/json' \\
                 -d '{{"username":"admin_user","password":"password123"}}'"""
_LOOK = "curl -s {url}/health"


def services_banner(*, gateway_port: int, logs: Path, environment: str) -> str:
    """Return the banner of a whole stack."""
    url = f"http://localhost:{gateway_port}"
    seeded = environment == "development"
    return _SERVICES.format(
        url=url,
        logs=logs,
        logins=_SEEDED if seeded else _NONE_SEEDED.format(environment=environment),
        trial=(_LOG_IN if seeded else _LOOK).format(url=url),
    )


def stores_banner(*, mongo_uri: str, redis_addr: str, kafka_brokers: str, logs: Path) -> str:
    """Return the banner of a stack without services."""
    return _STORES.format(mongo_uri=mongo_uri, redis_addr=redis_addr, kafka_brokers=kafka_brokers, logs=logs)
