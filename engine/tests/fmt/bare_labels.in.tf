resource aws_vpc main {
}
variable   name{}
block mixed "label" {
}
