// Register a shipment, report that it was picked up, wait until that is applied, and read it.
import { randomUUID } from 'node:crypto';
import { connect, getShipment, registerShipment, reportEvent } from '@waybill/client';

const url = process.env['WAYBILL_URL'] ?? 'http://localhost:8080';
const password = process.env['WAYBILL_PASSWORD'] ?? 'password123';
const client = connect({ url, username: 'client_user_001', password });
const driver = connect({ url, username: 'driver_user_001', password });

const { data: registered } = await registerShipment({
  client,
  throwOnError: true,
  headers: { 'Idempotency-Key': randomUUID() },
  body: {
    origin: { address: 'Av. Insurgentes Sur 1602, CDMX', coordinates: { lat: 19.3629, lng: -99.1824 } },
    destination: { address: 'Av. Vallarta 3959, Guadalajara', coordinates: { lat: 20.6767, lng: -103.431 } },
    package: { weight_kg: 2.5 },
  },
});

const { data: reported } = await reportEvent({
  client: driver,
  throwOnError: true,
  headers: { Prefer: 'wait=10' },
  body: {
    tracking_number: registered.tracking_number,
    status: 'picked_up',
    source: 'driver-017',
    timestamp: new Date().toISOString(),
  },
});

const { data: shipment } = await getShipment({
  client,
  throwOnError: true,
  path: { tracking_number: registered.tracking_number },
});

console.log(`${shipment.tracking_number}: ${reported.status}, now ${shipment.current_status}`);
