"""Published and simulated evaluations: ``leadlab evaluate NAME``, one flat object each."""
