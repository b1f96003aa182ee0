//! The Protobuf codec. tonic's own reports INTERNAL for bytes that are not the message they claim
//! to be; this one reports the client's INVALID_ARGUMENT.

use std::marker::PhantomData;

use prost::Message;
use tonic::{
    Code, Status,
    codec::{Codec as TonicCodec, DecodeBuf, Decoder},
};
use tonic_prost::{ProstCodec, ProstDecoder, ProstEncoder};

/// The codec of every generated client and server in this crate.
#[derive(Clone, Debug)]
pub struct Codec<Encode, Decode>(PhantomData<(Encode, Decode)>);

impl<Encode, Decode> Default for Codec<Encode, Decode> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<Encode, Decode> TonicCodec for Codec<Encode, Decode>
where
    Encode: Message + 'static,
    Decode: Message + Default + 'static,
{
    type Encode = Encode;
    type Decode = Decode;
    type Encoder = ProstEncoder<Encode>;
    type Decoder = BlamingDecoder<Decode>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<Encode, Decode>::default().encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        BlamingDecoder(ProstCodec::<Encode, Decode>::default().decoder())
    }
}

/// A decoder that reports INVALID_ARGUMENT without quoting the bytes.
#[derive(Debug)]
pub struct BlamingDecoder<T>(ProstDecoder<T>);

impl<T: Message + Default> Decoder for BlamingDecoder<T> {
    type Item = T;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<T>, Status> {
        self.0.decode(bytes).map_err(|_| {
            Status::new(Code::InvalidArgument, "the message is not valid protobuf of its type")
        })
    }
}
