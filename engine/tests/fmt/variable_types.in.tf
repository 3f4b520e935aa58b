variable "a" {
type="string"
}
variable "b" {
type="list"
}
variable "c" {
type="map"
}
variable "d" {
type=list
}
variable "e" {
type=map
}
variable "f" {
type=set
}
variable "g" {
type="number"
}
variable "h" {
type=list(string)
}
variable "i" {
type="${string}"
}
variable "j" {
type=object({a=string,b=optional(number,1)})
}
variable "k" {
type /* comment */ = "list" # comment
default=[]
}
