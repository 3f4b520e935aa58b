a = ( # one
b)
c = ((d)
&& (e))
f { g = (h # two
) }
i = j # three
/* four */
