resource "a" "b" {
  type = "list"
}
output "c" {
  type = list
}
outer {
  variable "d" {
    type = "string"
  }
}
type = "map"
