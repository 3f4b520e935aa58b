variable "a" {
  type = string
}
variable "b" {
  type = list(string)
}
variable "c" {
  type = map(string)
}
variable "d" {
  type = list(any)
}
variable "e" {
  type = map(any)
}
variable "f" {
  type = set(any)
}
variable "g" {
  type = "number"
}
variable "h" {
  type = list(string)
}
variable "i" {
  type = "${string}"
}
variable "j" {
  type = object({ a = string, b = optional(number, 1) })
}
variable "k" {
  type /* comment */ = list(string) # comment
  default            = []
}
