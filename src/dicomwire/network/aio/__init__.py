"""The conversations of `services` driven by an asyncio event loop: `dicomwire.aio` is the door."""
