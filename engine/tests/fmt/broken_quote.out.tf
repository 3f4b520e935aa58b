a   =   "x
