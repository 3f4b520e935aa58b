variable "ok" { default = false }
