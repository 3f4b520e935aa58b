a=f( )
b = f ( 1 ,2 )
c = f(x ...)
d = provider::aws :: arn_parse( "x" )
e = f(
1,
2,
)
f = f(1,
2)
