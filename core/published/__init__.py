"""Published PREP files: reading them, checking them, analysing them.

A published file is the results CSV that an institute puts in public hands at each cut. This
package reads every known layout of it, lists its defects and draws the night it tells. It writes
no result of its own and knows nothing of the engine.
"""
