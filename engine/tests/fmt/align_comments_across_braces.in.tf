resource "a" "b" {# opens
x=1# one
}# closes
