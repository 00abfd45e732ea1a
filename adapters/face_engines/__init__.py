"""Who finds and recognises faces: nets on this machine (`embedded`) or a service elsewhere (`apollo`, `serve`)."""
