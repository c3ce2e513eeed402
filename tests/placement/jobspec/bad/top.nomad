# What stands at the top of a file.
name = "web"

locals {
  a = 1
}

variable "image" {
  type = strng
}

variable "size" {
  type    = list(number)
  default = "big"
}

variable "missing" {
  type = string
}

variable "missing" {
  defualt = 1
}

variable {
}

vraiable "x" {
}

job "web" {
  group "g" {
    count = var.misssing
    task "t" {
      driver = var.image
      user   = var.siez
    }
  }
}

job "two" {
}
