"""Generate video from Python: an asyncio-native SDK for AIHubMix's unified video API."""
