"""How much a real night needs (`prep carga dimensionar`)."""
