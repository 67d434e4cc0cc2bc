"""Values that every layer shares: the request, the video, the job as others see it, the events. Frozen attrs classes without I/O."""
