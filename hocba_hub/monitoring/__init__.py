"""What is going on: metrics, health, logs.

Reads the store; nothing below imports it. The story starts in `exporter.py`.
"""
