"""HTTP, WebSocket and SSE: what people and programs outside may ask, tenant by tenant."""
