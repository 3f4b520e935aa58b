a         = 1 #one
long_name = 2 //two

b = 3   # three
c = [   # opens
  1,    # first
  1000, # second
]       # closes
