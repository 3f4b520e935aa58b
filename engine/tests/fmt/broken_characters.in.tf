a   =   'x'; b
