variable "other" {
  default = 1
}
