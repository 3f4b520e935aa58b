variable "string" {
  type    = string
  default = 5
}

variable "number" {
  type    = number
  default = "5"
}

variable "bool" {
  type    = bool
  default = "true"
}

variable "any" {
  type    = any
  default = { a = [1, "b"] }
}

variable "list" {
  type    = list(any)
  default = [1, "b", true]
}

variable "set" {
  type    = set(string)
  default = ["b", "a", "b"]
}

variable "map" {
  type    = map(number)
  default = { a = "1", b = 2 }
}

variable "tuple" {
  type    = tuple([string, number, bool])
  default = [1, "2", "false"]
}

variable "object" {
  type    = object({ a = string, b = list(number) })
  default = { a = 1, b = ["2"], dropped = true }
}

variable "optional" {
  type = object({
    name = string
    port = optional(number, 80)
    inner = optional(object({
      on   = optional(bool, true)
      tags = optional(map(string), { a = "b" })
      deep = optional(list(object({
        x = optional(string, "x")
        y = string
      })), [{ y = "y" }])
    }), {})
    nothing = optional(string)
  })
  default = { name = "n" }
}

variable "list_of_optional" {
  type    = list(object({ a = optional(string, "a"), b = optional(any, 1) }))
  default = [{}, { a = null }, { a = "z", b = "y" }]
}

variable "map_of_optional" {
  type    = map(object({ a = optional(number, 1) }))
  default = { x = {}, y = { a = 2 } }
}

variable "tuple_of_optional" {
  type    = tuple([object({ a = optional(number, 1) }), string])
  default = [{}, "x"]
}

variable "set_of_optional" {
  type    = set(object({ a = optional(number, 1) }))
  default = [{}, { a = 1 }]
}

variable "legacy" {
  type    = list
  default = [1, 2]
}

variable "legacy_map" {
  type    = map
  default = { a = 1 }
}

output "all" {
  value = [
    var.string, var.number, var.bool, var.any, var.list, var.set, var.map, var.tuple, var.object, var.optional,
    var.list_of_optional, var.map_of_optional, var.tuple_of_optional, var.set_of_optional, var.legacy, var.legacy_map,
  ]
}
